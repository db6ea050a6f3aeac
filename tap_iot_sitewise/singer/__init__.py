"""Every difference from the Singer SDK, for any tap.

Nothing here depends on what is extracted, or from where. An entry below says what the
SDK does (``singer_sdk`` 0.54), what the tap does instead, and which test fails when the
SDK changes. A private name of the SDK that is not listed here is not used.

Private names that the package replaces
---------------------------------------

``Tap._env_var_config``
    The SDK raises ``ValueError`` for a variable that does not hold a number or an
    object, reads any unknown word as false, and leaves a number with a fraction as
    text. The tap reads what it can, and reports the rest with the other problems of
    the settings.
    ``test_the_sdk_fails_at_a_variable_that_it_cannot_read``,
    ``test_the_sdk_reads_any_word_as_a_boolean_and_a_number_as_text``
``Tap._validate_config``
    The SDK prints the values of wrong settings, one line for each, and checks the
    settings of ``--discover`` too. The tap reports every problem in one line, without
    a value, and lets ``--discover`` pass.
    ``test_the_sdk_prints_the_values_of_wrong_settings``,
    ``test_the_sdk_checks_the_settings_of_discover_too``
``Tap._handle_termination``
    The SDK ends with exit code 0 when a signal stops it. The tap ends with 128 plus
    the number of the signal, after a whole line.
    ``test_the_sdk_ends_with_exit_code_0_when_it_is_stopped``
``Stream._sync_records``
    The SDK processes records one by one. The tap sends a page in one step if no stream
    map, flattening or batch is set, in the same order of steps.
    ``test_the_sdk_sends_record_by_record_in_this_order``
``Stream._process_record``
    The SDK runs the child streams for each record of their parent. The tap runs them
    once, for all parents.
    ``test_the_sdk_runs_the_children_for_each_parent_record``
``Stream._generate_record_messages``
    The SDK looks up the selection for each record, and omits the flattened columns of
    an object that is null. The tap looks it up once, and sends every column.
    ``test_the_sdk_looks_up_the_selection_for_each_record``,
    ``test_the_sdk_flattens_only_what_a_record_has``
``Stream._write_state_message``
    The SDK writes a STATE whenever a stream ends, a child stream too. The tap writes
    one per 10,000 records, and its run writes those at the end of a stream.
    ``test_the_sdk_writes_a_state_whenever_a_stream_ends``
``Stream._increment_stream_state``
    The SDK logs a warning for each record without a replication key. The tap does not.
    ``test_the_sdk_warns_of_each_replication_key_that_is_null``

``CustomStreamMap._eval``
    The SDK raises whatever an expression raises. The tap reports the stream, the
    column, the reason, and what to do.
    ``test_the_sdk_raises_whatever_an_expression_raises``

Private names that the package uses
-----------------------------------

``PluginMapper._eval_stream``
    Evaluates ``__alias__``, to refuse one that is not a name.
    ``test_the_sdk_takes_any_value_for_an_alias``

``Stream._write_starting_replication_value``
``Stream._check_max_record_limit``
``Stream._finalize_state``
    Steps of ``Stream._sync_records`` that the tap repeats for its pages.
    ``test_the_sdk_sends_record_by_record_in_this_order``
``Stream._tap``
``Stream._initialized_at``
    The tap of a stream, and the start of the run in milliseconds.
    ``test_the_sdks_stream_keeps_its_tap_and_the_start_of_the_run``
``Stream._stream_version``
    The version that each record carries. The SDK sets it only if it sends
    ACTIVATE_VERSION itself.
    ``test_the_sdk_sends_the_version_of_a_stream_with_each_record``
``Tap._config``
    The settings, to set defaults and to correct dates in place.
    ``test_the_sdk_keeps_the_settings_that_a_tap_can_change``
``Tap._env_var_prefix``
``singer_sdk.helpers._classproperty``
    Needed to replace ``Tap._env_var_config``, a property of the class.
    ``test_the_sdk_has_properties_of_classes``
``singer_sdk.configuration._dict_config``
    Reads the variables, ``.env`` and lists of texts.
    ``test_the_sdk_reads_texts_and_lists_from_variables``
``singer_sdk.helpers._catalog``
    Finds the selected columns. The tap cannot use ``StreamMap.raw_schema``: if a stream
    map removes a column, the SDK removes it there too.
    ``test_the_sdk_finds_the_selected_columns``,
    ``test_the_sdk_removes_a_column_where_a_stream_map_keeps_what_it_reads``
``singer_sdk.helpers._state``
    Names of the progress marks of a run. The SDK logs a warning for each incremental
    stream when it sets them, the tap does not.
    ``test_the_sdk_warns_that_an_incremental_run_cannot_be_resumed``
``singer_sdk.helpers._batch``
    Types of batch files, for annotations only.
    ``test_the_sdk_knows_batch_files_by_these_types``

Public names that the package replaces or relies on
---------------------------------------------------

``Tap.setup_mapper``
    The SDK ignores a stream map of a stream or a column that does not exist, and
    refuses one of a stream that is not selected. The tap refuses the first, and
    accepts the second.
    ``test_the_sdk_ignores_stream_maps_of_what_is_not_there``,
    ``test_the_sdk_refuses_a_stream_map_of_a_stream_that_is_not_selected``
``CustomStreamMap.expr_evaluator``
    Lists the functions and the syntax of expressions.
    ``test_the_sdk_says_what_an_expression_can_use``
``singer_sdk.batch``
    The SDK fails at the first batch if ``batch_config`` lacks a member, has an unknown
    one, or needs a package, and writes nothing with a batch size of 0. The tap refuses
    the settings.
    ``test_the_sdk_looks_at_batch_config_at_the_first_batch``

``ParquetBatcher``
    The SDK infers the types of a Parquet file from its values. A column that is null in
    a file has the type null there, and readers refuse the files of a stream together.
    The tap writes the types of the schema.
    ``test_the_sdk_infers_the_types_of_a_parquet_file``
``Stream.get_batches``
    The SDK writes records to batch files as they were read: with columns that are not
    selected, and neither mapped nor flattened. If stream maps make several tables of a
    stream, it sends the same file for each. The tap writes what the messages would
    contain, and refuses several tables.
    ``test_the_sdk_writes_batch_files_with_what_was_read``,
    ``test_the_sdk_announces_a_batch_file_for_each_table``
``Stream.emit_activate_version_messages``
    The SDK sends ACTIVATE_VERSION before the first record, with whole seconds as its
    version. The tap sends it at the end of a run that did not fail.
    ``test_the_sdk_sends_activate_version_before_the_first_record``
``Stream.get_replication_key_signpost``
    In the SDK, a bookmark can be as late as the start of the run. In the tap it is at
    least five minutes earlier: an entity can change during its listing, and clocks
    differ.
    ``test_the_sdk_lets_a_bookmark_come_up_to_the_start_of_the_run``
``Stream.get_sync_timer``
    The SDK ends ``--test`` with an exception, and reports a failure of the stream. The
    tap reports a success.
    ``test_the_sdk_ends_a_stream_at_its_limit_with_an_exception``,
    ``test_the_sdk_reports_a_limit_that_was_reached_as_a_failure``
``Stream.log``
    The SDK logs the beginning of each stream at INFO, and a failure as an ERROR for the
    stream and for each of its parents. The tap logs both at DEBUG.
    ``test_the_sdk_logs_the_beginning_of_each_stream``,
    ``test_the_sdk_logs_a_failure_once_for_each_stream_and_with_its_traceback``
``MsgSpecWriter.write_message``
    The SDK writes records to stdout one by one. The tap collects them.
    ``test_the_sdk_writes_each_record_by_itself``
``MsgSpecWriter.serialize_message``
    The SDK returns the same buffer each time, so the tap copies it.
    ``test_the_sdk_uses_the_bytes_of_a_message_again``

Public names that other modules replace
---------------------------------------

``Tap.sync_all``
    In ``tap.py``. The SDK runs children within their parents, each time with a SCHEMA
    and a STATE.
    ``test_the_sdk_runs_the_children_for_each_parent_record``
``Tap.input_catalog``
    In ``tap.py``. The SDK keeps the catalog as given. The tap checks it, as soon as the
    settings say which streams there are.
    ``test_the_sdk_reads_the_catalog_from_a_property``
``Tap.run_sync_dry_run``
    In ``tap.py``. The SDK does not try the streams after one that fails.
    ``test_the_sdk_tries_no_stream_after_one_that_fails``
``Tap.cb_config``
``SingerCommand.main``
``SingerCommand.invoke``
    In ``command_line.py``. The SDK prints tracebacks, warns of old versions of Python,
    and does not report a settings file that it cannot read.
    ``test_the_sdk_ends_with_a_traceback_where_config_cannot_be_read``,
    ``test_the_sdk_logs_a_failure_once_for_each_stream_and_with_its_traceback``,
    ``test_the_sdk_warns_of_a_python_that_this_package_supports``
``Tap.invoke``
    In ``command_line.py``. If a catalog or a state is not valid JSON, the SDK names
    neither the file nor the option.
    ``test_the_sdk_does_not_name_a_file_that_is_not_json``
``Tap.cli``
    Wrapped in ``__main__.py``. The SDK sets up the log before its command can report a
    failure.
    ``test_the_sdk_sets_up_its_log_before_its_command_runs``
``Tap.config_jsonschema``
    In ``settings.py`` and ``settings_check.py``. The SDK does not declare
    ``emit_activate_version_messages``, reads fewer forms of dates in ``start_date``
    than the tap accepts, and has a schema of ``stream_maps`` that is not a valid JSON
    schema.
    ``test_the_sdk_does_not_declare_emit_activate_version_messages``,
    ``test_the_sdk_reads_fewer_forms_of_dates_in_start_date``,
    ``test_the_sdks_schema_of_stream_maps_is_not_a_valid_schema``
"""
