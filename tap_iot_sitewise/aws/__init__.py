"""Every difference from boto3 and botocore, and the ways to sign in.

Nothing here depends on what becomes of the records. An entry below says what the
library does (``botocore`` 1.44, ``iam_rolesanywhere_session`` 3.0), what the tap does
instead, and which test fails when the library changes. A private name of these
libraries that is not listed here is not used.

Private names that the package uses or replaces
-----------------------------------------------

``IAMRolesAnywhereSession._session``
    The library sends CreateSession without proxies, ``AWS_CA_BUNDLE`` and a timeout,
    and fails if the answer does not have the right form. The tap sets its own HTTP
    session, which has all three and returns only valid answers.
    ``test_the_session_signs_and_sends_with_what_it_keeps``,
    ``test_create_session_takes_no_notice_of_a_proxy``,
    ``test_create_session_takes_no_notice_of_a_ca_bundle``,
    ``test_create_session_has_no_timeout_to_set``,
    ``test_create_session_expects_answers_of_the_right_form``
``IAMRolesAnywhereSession._request_signer``
    The library names the algorithm of the signature after the hash that the
    certificate's authority used. AWS accepts only SHA-256. The tap sets its own signer.
    ``test_the_session_signs_and_sends_with_what_it_keeps``,
    ``test_the_signer_names_the_hash_that_the_authority_used``
``DeferredRefreshableCredentials._advisory_refresh_timeout``
``DeferredRefreshableCredentials._mandatory_refresh_timeout``
    The library renews credentials with each request as soon as they are valid for less
    than 15 minutes, the shortest duration of a session. The tap sets shorter times for
    shorter sessions.
    ``test_botocore_renews_short_credentials_with_each_request``
``DeferredRefreshableCredentials._refresh_using``
    The library calls CreateSession once, and only through this attribute of the
    credentials. The tap calls the same function, and retries.
    ``test_botocore_keeps_the_function_that_renews_credentials``,
    ``test_create_session_is_asked_for_once``

Public names, but not documented for others
-------------------------------------------

``botocore.retries.standard``
``botocore.retries.quota``
    botocore shares a budget for retries among all requests of a client. The tap creates
    a handler from botocore's own parts, without a budget, and replaces botocore's
    handler.
    ``test_botocore_shares_a_budget_of_retries_among_requests``,
    ``test_botocore_registers_its_retries_under_a_name_of_the_service``
``botocore.retries.adaptive``
``before-sign``
    After a throttled request, botocore limits the rate of the requests. It waits after
    the signature. The tap uses the same limiter before the signature of each attempt,
    followed by its own limit.
    ``test_botocore_limits_the_rate_after_the_signature``,
    ``test_botocore_signs_each_attempt``
``create_assume_role_refresher``
``CredentialResolver``
    botocore assumes a role that a profile names. The tap uses its function for the role
    of the settings, and makes the result the only source of a session.
    ``test_botocore_assumes_a_role_with_the_client_that_it_is_given``,
    ``test_botocore_takes_credentials_from_the_resolver_that_it_is_given``
``before-parse``
    Event before botocore parses an answer. The tap decodes the answer at this point.
    ``test_botocore_puts_what_a_handler_gives_into_the_answer``
``before-send``
    Event with the signed request. The tap masks its credentials in the log.
    ``test_botocore_puts_what_a_handler_gives_into_the_answer``

Behaviour that the package works around
---------------------------------------

``ResponseParser.parse``
    botocore treats a body that is not valid JSON as an answer without members, fails if
    the body of an error is not an object in UTF-8, and treats status 300 as a success.
    The tap retries a page without its member, and reports every error.
    ``test_botocore_takes_a_body_that_is_not_json_for_an_empty_answer``,
    ``test_botocores_parser_fails_at_an_error_that_is_not_an_object_in_utf_8``,
    ``test_botocores_parser_takes_status_300_for_a_success``
``QueryParser.parse``
    botocore ends AssumeRole with ``ResponseParserError``, which quotes the credentials,
    or with ``KeyError``, if the answer is not the XML that it expects, and does not
    retry. The tap retries such an answer, and does not quote it.
    ``test_botocore_does_not_try_assume_role_again_if_the_answer_is_not_valid``
``TransientRetryableChecker``
    botocore retries 500, 502, 503 and 504. The tap retries every 5xx except 501 and
    505.
    ``test_botocore_does_not_try_every_server_error_again``
``StandardRetryConditions``
    botocore retries if a certificate is not trusted, and does not if credentials have
    expired. The tap does not retry the first, and retries the second if it can renew
    the credentials.
    ``test_botocore_tries_again_where_a_certificate_is_not_trusted``,
    ``test_botocore_gives_up_where_credentials_ran_out``
``Client.get_paginator``
    botocore has no paginator for batch operations. The tap follows the tokens itself.
    ``test_botocore_has_no_paginator_for_batch_operations``
``RefreshableCredentials``
    botocore fails if renewed credentials have already expired. The tap checks their
    time first, and retries.
    ``test_botocore_gives_up_where_renewed_credentials_have_expired``
``CredentialResolver.load_credentials``
    botocore fails with any exception if the answer of a source of credentials does not
    have the right form. The tap reports the source.
    ``test_botocore_expects_credentials_of_the_right_form``
``ProxyConfiguration``
    botocore treats a proxy that is not HTTP as the name of a host, shows its password,
    and fails if a password is not ASCII. The tap refuses such a proxy.
    ``test_botocore_takes_a_socks_proxy_for_a_host_and_shows_its_password``,
    ``test_botocore_fails_at_a_proxys_password_that_is_not_ascii``
``IAMRolesAnywhereSession.private_key``
    The library keeps the bytes of the private key. The tap removes them.
    ``test_the_session_keeps_the_bytes_of_the_private_key``
``IAMRolesAnywhereSession.endpoint``
    The library expects a host. The tap's setting is a URL.
    ``test_create_session_goes_to_a_host_and_not_to_a_url``

Behaviour that other modules work around
----------------------------------------

``logging``
    In ``redaction.py``. botocore logs credentials at DEBUG, and a failed renewal as a
    warning with a traceback. The Roles Anywhere library logs each failed attempt as an
    ERROR. The tap drops all of these records.
    ``test_botocore_writes_credentials_into_its_log_at_debug``,
    ``test_botocore_warns_of_a_failed_renewal_with_its_traceback``,
    ``test_create_session_logs_each_failure_as_an_error``
"""
