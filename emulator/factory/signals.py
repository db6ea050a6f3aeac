"""Values of the time series of a factory, by the names of their properties."""

from __future__ import annotations

import itertools
import math
import typing as t

from emulator.blocks import DAY, NANOS, Block
from emulator.factory.outages import outages, with_outages
from emulator.factory.products import slug
from emulator.factory.products import thing as thing_named
from emulator.factory.shifts import SHIFT_STARTS, Machine, weekday
from emulator.formula import Formula

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from emulator.blocks import Sample
    from emulator.formula import FormulaSource

_PRODUCTS = ("Still water 0.5 l", "Still water 1 l", "Lemonade 1 l", "Cola 0.33 l")
_KELVIN = 273.15
_MILLISECOND = 1_000_000


class Analog(t.NamedTuple):
    """A signal that goes up and down.

    Args:
        level: The average while the machine runs.
        idle: The average while it does not, as a share of ``level``.
        daily: Amplitude of the daily cycle.
        noise: Amplitude of the noise.
        every: Sampling interval in seconds.
    """

    level: float
    idle: float
    daily: float
    noise: float
    every: int = 10


_ANALOG = {
    "temperature": Analog(48, 0.5, 2, 0.4, every=60),
    "outdoor-temperature": Analog(11, 1, 6, 0.3, every=60),
    "speed": Analog(1450, 0, 8, 12),
    "power": Analog(11, 0.08, 0.4, 0.6),
    "vibration": Analog(2.4, 0.05, 0.1, 0.3),
    "pressure": Analog(7, 1, 0.2, 0.05),
    "flow": Analog(120, 0.6, 15, 4),
}
_DATA_TYPES = {
    "state": "STRING",
    "product": "STRING",
    "running": "BOOLEAN",
    "good-parts": "INTEGER",
}
_OF_MACHINES = {"state", "running", "good-parts", "parts-per-shift"}


class _Signal(t.NamedTuple):
    """What the values of a time series are made from.

    Args:
        source: The source of the formula.
        place: What identifies the asset in the plant.
        name: Name of the property, as a slug.
        machine: The machine, None for signals that do not depend on one.
    """

    source: FormulaSource
    place: str
    name: str
    machine: Machine | None


def _signal(source: FormulaSource) -> _Signal:
    """Return where a time series belongs: to a property, or to a place by its alias."""
    plant, series = source.plant, source.series
    asset_id, property_id = series.get("assetId"), str(series.get("propertyId"))
    if isinstance(asset_id, str) and plant.has("asset_model_properties", property_id):
        named = plant.find("asset_model_properties", property_id)
        model_id = plant.parent("asset_model_properties", property_id)
        model = plant.find("asset_models", model_id or "")
        thing = thing_named(str(model.get("name")))
        place, name = asset_id, slug(str(named["name"]))
        on_machine = thing is not None and thing.level == "machine"
    else:
        place, _, name = str(series.get("alias") or "").rpartition("/")
        on_machine = "/line-" in place
    machine = Machine(source, place) if on_machine else None
    return _Signal(source, place, name, machine)


def formula(source: FormulaSource) -> Formula | None:
    """Return the formula of a time series.

    A time series without an asset has values if its alias ends with the name of a
    property of the factory, such as ``/cork/line-9/press-2/temperature``.
    """
    signal = _signal(source)
    if source.series.get("dataType") != _DATA_TYPES.get(signal.name, "DOUBLE"):
        return None
    make = _FORMULAS.get(signal.name)
    if make is None or (signal.machine is None and signal.name in _OF_MACHINES):
        return None

    def block(day: int) -> Block:
        return Block.of_samples(day, make(signal, day))

    return Formula(block, source.first_day)


def _analog(signal: _Signal, day: int) -> Iterator[Sample]:
    """Yield the values of a signal: cycles, steps, noise, and the machine's state."""
    form = _ANALOG[signal.name]
    rng = signal.source.rng(signal.place, signal.name, day)
    noise, jitter = rng.random, rng.getrandbits
    weekend = 0.9 if weekday(day) >= 5 and signal.machine is None else 1.0  # noqa: PLR2004
    steps = [form.level * weekend * (0.97 + 0.06 * noise()) for _ in range(6)]
    span, per_step = 2 * form.noise, DAY // len(steps)
    level = form.level * form.idle
    turn, at_noon = 2 * math.pi / DAY, DAY / 4
    # Less than half a minute: a machine warms up slowly, its speed changes at once.
    share = 0.02 if signal.name == "temperature" else 0.6
    for start, end, state in _loads(signal, day):
        first = -(-start // form.every) * form.every
        for second in range(first, end, form.every):
            target = steps[second // per_step] * (1 if state else form.idle)
            level += (target - level) * share
            value = level
            if state or form.idle:
                cycle = form.daily * math.sin((second - at_noon) * turn)
                value += cycle + span * noise() - form.noise
            elif value < 1:
                value = level = 0
            # At most 0.26 seconds late, and never exactly on the second.
            nanos = second * NANOS + (jitter(8) + 1) * _MILLISECOND + 1
            yield nanos, f'"doubleValue":{value:.3f}', "GOOD"


def _loads(signal: _Signal, day: int) -> Iterator[tuple[int, int, bool]]:
    """Yield start and end of phases, and whether there is load."""
    if signal.machine is None:
        yield 0, DAY, True
        return
    for phase in signal.machine.phases(day):
        yield phase.start, phase.end, phase.running


def _measured(signal: _Signal, day: int) -> Iterator[Sample]:
    found = outages(signal.source, signal.place, day)
    return with_outages(_analog(signal, day), found)


def _kelvin(signal: _Signal, day: int) -> Iterator[Sample]:
    for nanos, text, quality in _measured(signal._replace(name="temperature"), day):
        member, _, number = text.partition(":")
        if member == '"doubleValue"':
            yield nanos, f"{member}:{float(number) + _KELVIN:.3f}", quality
        else:
            yield nanos, text, quality


def _states(signal: _Signal, day: int) -> Iterator[Sample]:
    for phase in signal.machine.phases(day) if signal.machine else ():
        if phase.start:
            yield phase.start * NANOS, f'"stringValue":"{phase.state}"', "GOOD"


def _running(signal: _Signal, day: int) -> Iterator[Sample]:
    phases = signal.machine.phases(day) if signal.machine else ()
    for before, phase in itertools.pairwise(phases):
        if before.running != phase.running:
            value = "true" if phase.running else "false"
            yield phase.start * NANOS, f'"booleanValue":{value}', "GOOD"


def _good_parts(signal: _Signal, day: int) -> Iterator[Sample]:
    """Yield the counter: each minute in which it grew, and 0 when a shift starts."""
    if signal.machine is None:
        return
    last = 0
    for minute in range(1, DAY // 60):
        second = minute * 60
        parts = signal.machine.parts(day, second)
        if parts != last or second in SHIFT_STARTS:
            last = parts
            yield second * NANOS, f'"integerValue":{parts}', "GOOD"


def _products(signal: _Signal, day: int) -> Iterator[Sample]:
    if weekday(day) > 4:  # noqa: PLR2004 - Saturday and Sunday
        return
    rng = signal.source.rng(signal.place, "product", day)
    start, _, end = SHIFT_STARTS
    seconds = sorted(rng.sample(range(start, end), rng.randrange(2, 5)))
    for second in seconds:
        yield second * NANOS, f'"stringValue":"{rng.choice(_PRODUCTS)}"', "GOOD"


def _hourly(value: Callable[[_Signal, int, int], float]) -> _Samples:
    """Return what yields a metric at the end of each hour, given its start."""

    def samples(signal: _Signal, day: int) -> Iterator[Sample]:
        for start in range(0, DAY, 3600):
            number = value(signal, day, start)
            yield (start + 3600) * NANOS, f'"doubleValue":{number:.3f}', "GOOD"

    return samples


def _average_power(signal: _Signal, day: int, start: int) -> float:
    power = _ANALOG["power"]
    share = 1.0
    if signal.machine is not None:
        end = start + 3600
        share = signal.machine.running_seconds(day, start, end) / 3600
    return power.level * (power.idle + (1 - power.idle) * share)


def _output(signal: _Signal, day: int, start: int) -> float:
    rng = signal.source.rng(signal.place, "output", day, start)
    begin, _, end = SHIFT_STARTS
    works = begin <= start < end and weekday(day) <= 4  # noqa: PLR2004 - on weekdays
    return float(rng.randrange(380, 620)) if works else 0.0


def _parts_per_shift(signal: _Signal, day: int) -> Iterator[Sample]:
    """Yield the parts of each shift at its end."""
    for end in SHIFT_STARTS:
        parts = signal.machine.parts(day, end - 1) if signal.machine else 0
        yield end * NANOS, f'"doubleValue":{float(parts)!r}', "GOOD"


_Samples: t.TypeAlias = "Callable[[_Signal, int], Iterator[Sample]]"

_FORMULAS: dict[str, _Samples] = {
    **dict.fromkeys(_ANALOG, _measured),
    "temperature-in-kelvin": _kelvin,
    "state": _states,
    "running": _running,
    "good-parts": _good_parts,
    "product": _products,
    "average-power": _hourly(_average_power),
    "output-per-hour": _hourly(_output),
    "parts-per-shift": _parts_per_shift,
}
