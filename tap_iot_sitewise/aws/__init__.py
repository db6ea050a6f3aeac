"""The AWS wing: every difference from boto3 and botocore, and how the tap signs in.

Nothing here knows where the records go. An entry below says what the library does
(``botocore`` 1.44, ``iam_rolesanywhere_session`` 3.0), what the tap does instead, and
which test fails when the library changes. A private name of these libraries that is not
listed here is not used.

Private names that the wing uses or replaces
--------------------------------------------

``IAMRolesAnywhereSession._session``
    The library sends CreateSession without proxies, ``AWS_CA_BUNDLE`` and a timeout of
    ours, and fails at an answer that is not of the right form. The tap puts its own
    HTTP session there, with all of these, which passes on sound answers only.
    ``test_the_session_signs_and_sends_with_what_it_keeps``,
    ``test_create_session_takes_no_notice_of_a_proxy``,
    ``test_create_session_takes_no_notice_of_a_ca_bundle``,
    ``test_create_session_has_no_timeout_to_set``,
    ``test_create_session_expects_answers_of_the_right_form``
``IAMRolesAnywhereSession._request_signer``
    The library names the algorithm of the signature after the hash that the
    certificate's authority used. AWS knows SHA-256 only. The tap puts its own signer
    there.
    ``test_the_session_signs_and_sends_with_what_it_keeps``,
    ``test_the_signer_names_the_hash_that_the_authority_used``
``DeferredRefreshableCredentials._refresh_using``
    The library asks for CreateSession once, in a method that has no other name. The
    tap takes it from the credentials, and tries again.
    ``test_botocore_keeps_the_function_that_renews_credentials``,
    ``test_create_session_is_asked_for_once``

Public names, but not documented for others
-------------------------------------------

``botocore.retries.standard``
``botocore.retries.quota``
    botocore shares a budget for retries among all requests of a client. The tap makes
    a handler of botocore's own parts, without a budget, and registers it in the place
    of botocore's.
    ``test_botocore_shares_a_budget_of_retries_among_requests``,
    ``test_botocore_registers_its_retries_under_a_name_of_the_service``
``before-parse``
    This event takes an answer before botocore parses it. The tap decodes it there.
    ``test_botocore_puts_what_a_handler_gives_into_the_answer``
``before-send``
    This event gives the signed request. The tap masks its credentials in the log.
    ``test_botocore_puts_what_a_handler_gives_into_the_answer``

Habits that the wing works around
---------------------------------

``ResponseParser.parse``
    botocore takes a body that is not valid JSON for an answer without members, fails at
    an error whose body is not an object in UTF-8, and takes status 300 for a success.
    The tap tries a page without its member again, and reports every error.
    ``test_botocore_takes_a_body_that_is_not_json_for_an_empty_answer``,
    ``test_botocores_parser_fails_at_an_error_that_is_not_an_object_in_utf_8``,
    ``test_botocores_parser_takes_status_300_for_a_success``
``TransientRetryableChecker``
    botocore tries 500, 502, 503 and 504 again. The tap tries every 5xx again except
    501 and 505.
    ``test_botocore_does_not_try_every_server_error_again``
``StandardRetryConditions``
    botocore tries again where a certificate is not trusted, and gives up where
    credentials ran out. The tap stops at the first, and tries again at the second where
    it can renew them.
    ``test_botocore_tries_again_where_a_certificate_is_not_trusted``,
    ``test_botocore_gives_up_where_credentials_ran_out``
``Client.get_paginator``
    botocore has no paginator for batch operations. The tap follows the tokens itself.
    ``test_botocore_has_no_paginator_for_batch_operations``
``RefreshableCredentials``
    botocore gives up where renewed credentials have expired already. The tap looks at
    the time first, and tries again.
    ``test_botocore_gives_up_where_renewed_credentials_have_expired``
``CredentialResolver.load_credentials``
    botocore fails with any exception where a source of credentials does not answer in
    the right form. The tap reports the source.
    ``test_botocore_expects_credentials_of_the_right_form``
``ProxyConfiguration``
    botocore takes a proxy that is not HTTP for the name of a host, shows its password,
    and fails at a password that is not ASCII. The tap refuses such a proxy.
    ``test_botocore_takes_a_socks_proxy_for_a_host_and_shows_its_password``,
    ``test_botocore_fails_at_a_proxys_password_that_is_not_ascii``
``IAMRolesAnywhereSession.private_key``
    The library keeps the bytes of the private key. The tap removes them.
    ``test_the_session_keeps_the_bytes_of_the_private_key``
``IAMRolesAnywhereSession.endpoint``
    The library takes a host. The tap's setting is a URL.
    ``test_create_session_goes_to_a_host_and_not_to_a_url``

Habits that are worked around outside of this wing
--------------------------------------------------

``logging``
    In ``redaction.py``. botocore writes credentials into its log at DEBUG, and warns of
    a failed renewal with its traceback. The Roles Anywhere library reports each failed
    try as an ERROR. The tap keeps all of them out of its log.
    ``test_botocore_writes_credentials_into_its_log_at_debug``,
    ``test_botocore_warns_of_a_failed_renewal_with_its_traceback``,
    ``test_create_session_logs_each_failure_as_an_error``
"""
