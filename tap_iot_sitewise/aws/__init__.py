"""The AWS wing: every difference from boto3 and botocore, and how the tap signs in.

Nothing here knows Singer. The wing replaces or uses these private names, and changes
these habits; each has a test that fails when the library changes underneath.

========================================= =======================================
Name, and what the library does           What the tap needs, and the test
========================================= =======================================
botocore 1.44, retries of the mode        each request gets ``max_attempts`` tries,
``adaptive``: all requests of a client    independently of other requests.
share a budget for retries                ``test_botocore_shares_a_budget_of_retries``
botocore 1.44, parser: a body that is     the answer is decoded here, and a page
not JSON is an answer without members     without its member is tried again.
                                          ``test_botocore_takes_no_json_for_empty``
botocore 1.44, parser of errors: raises   any body gives a code and a message.
for a body that is not an object          ``test_botocore_fails_on_an_error_body``
botocore 1.44: tries again only 500,      throttling, and every 5xx but 501 and 505.
502, 503, 504 and 429                     ``test_botocore_retries_four_server_errors``
``IAMRolesAnywhereSession`` 3.0,          renewal that tries again.
``_refresh_using``: asks once             ``test_create_session_is_asked_once``
``IAMRolesAnywhereSession`` 3.0,          proxies, ``AWS_CA_BUNDLE``, a timeout, and
``_session``: ``requests``-like session   answers of any body.
without proxies and timeouts              ``test_create_session_decodes_any_body``
``IAMRolesAnywhereSession`` 3.0,          the name of the algorithm as AWS knows it.
``_request_signer``: names the algorithm  ``test_the_signer_names_the_hash_of_the_ca``
after the hash that the CA used
========================================= =======================================
"""
