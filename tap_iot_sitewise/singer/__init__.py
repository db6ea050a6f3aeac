"""The Singer wing: every difference from the Singer SDK, for any tap.

Nothing here knows AWS or the API that is read. The wing replaces these private names
of ``singer_sdk`` 0.54; each has a test that fails when the SDK changes underneath.

========================================= =======================================
Name, and what the SDK does               What the tap needs, and the test
========================================= =======================================
``Tap._env_var_config``:                  each variable is read where it can be,
raises ``ValueError`` for an integer or   and the validation of the settings
an object that is not one, reads any      reports the others.
word as a boolean, leaves numbers with a  ``test_the_sdk_reads_settings_loosely``
fraction as text
``Tap._validate_config``:                 every problem in one line, no value, and
prints the values of wrong settings,      no check for ``--discover``.
checks those of ``--discover`` too        ``test_the_sdk_prints_wrong_values``
``Tap._handle_termination``:              128 plus the number of the signal.
ends with exit code 0                     ``test_the_sdk_ends_with_0_when_stopped``
``Stream._sync_records``:                 pages go to stdout in one step where no
handles each record by itself             stream map, flattening or batch is set.
                                          ``test_the_sdk_sends_record_by_record``
``Stream._process_record``:               nothing: the tap runs the children once,
runs the children for each parent         for all parents.
record                                    ``test_the_sdk_syncs_children_per_record``
``Stream._generate_record_messages``:     the selection is settled once, and every
looks up each value in the selection,     column of the flattened schema is there.
flattens only the values that exist       ``test_the_sdk_flattens_what_is_there``
``Stream._write_record_message``:         the records that were sent are counted.
does not count                            ``test_the_sdk_counts_filtered_records``
``Stream._write_state_message``:          a STATE per 10,000 records; the run writes
writes whenever a stream ends             those at the end of a stream.
                                          ``test_the_sdk_writes_state_per_stream``
``Stream._increment_stream_state``:       silence.
logs a warning for each null              ``test_the_sdk_warns_of_every_null``
========================================= =======================================
"""
