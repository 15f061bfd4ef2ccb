"""The quick signer beside botocore's own: the same headers, whatever is signed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given
from hypothesis import strategies as st

from etl.settings import Credentials, Secret
from etl.targets.sigv4 import Signatures

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
PATHS = ["/contacts", "/Production/events", "/a%20b/%C3%A9", "/a//b/../c", "/x:y@z/~t,+=", "/20000101T000000Z", ""]
HOSTS = [
    "https://a.execute-api.us-east-2.amazonaws.com",
    "http://127.0.0.1:8080",
    "https://example.com:443",
    "http://[::1]:80",
]
MOMENTS = st.integers(946_684_800, 4_102_444_799)


def by_botocore(token, method, url, body, at):
    """Sign at another time than now: what `add_auth` does, but for its clock."""
    auth = SigV4Auth(BotoCredentials("AKIDEXAMPLE", SECRET, token), "execute-api", "us-east-2")
    request = AWSRequest(method=method, url=url, data=body, headers={"Content-Type": "application/json"})
    request.context["timestamp"] = datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
    auth._modify_request_before_signing(request)
    text = auth.string_to_sign(request, auth.canonical_request(request))
    auth._inject_signature_to_request(request, auth.signature(text, request))
    return {name: value for name, value in request.headers.items() if name != "Content-Type"}


@pytest.mark.parametrize("token", [None, "token/==+1"], ids=["keys", "session token"])
@given(
    requests=st.lists(
        st.tuples(st.sampled_from(["POST", "DELETE", "GET"]), st.sampled_from(HOSTS), st.sampled_from(PATHS),
                  st.binary(max_size=40), MOMENTS),
        min_size=1, max_size=5,
    )
)  # fmt: skip
def test_a_signature_is_botocores_on_every_day_and_for_every_address(token, requests):
    keys = Credentials(Secret(SECRET), Secret("AKIDEXAMPLE"), Secret(token) if token else None)
    signatures = Signatures(keys, "us-east-2")
    for method, host, path, body, at in requests:
        found = signatures.headers(method, host + path, body, "application/json", at + 0.75)
        assert found == by_botocore(token, method, host + path, body, at)


def test_without_an_access_key_nothing_is_signed():
    with pytest.raises(AssertionError, match="BUG"):
        Signatures(Credentials(Secret(SECRET)), "us-east-2")
