"""Who sent a request: read from Streamlit's own signed cookie, as its pages read it.

Streamlit signs what the identity provider said into `_streamlit_user`. The socket of the board and
the pages beside Streamlit are no pages of its, so they ask here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from streamlit.auth_util import get_cookie_with_chunks, get_origin_from_redirect_uri
from streamlit.web.server.server_util import AUTH_COOKIE_NAME, get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value

from fanout.people import Claims


def public_origin() -> str:
    """Where people reach this Fanout, as the sign-in is set up for; "" where it isn't."""
    return (get_origin_from_redirect_uri() or "").lower()


def claims_in(cookies: Mapping[str, str]) -> Claims:
    """What the provider said of whoever holds these cookies; nothing where they prove nothing."""
    secret = get_cookie_secret()

    def signed(name: str) -> bytes | None:
        value = cookies.get(name)
        if value is None:
            return None
        return decode_signed_value(secret, name, value.encode("latin-1", "replace"))

    try:
        told = json.loads(get_cookie_with_chunks(signed, AUTH_COOKIE_NAME) or b"{}")
    except ValueError:
        return {}
    genuine = isinstance(told, dict) and told.get("is_logged_in") is True
    # A cookie of another app on this host may be signed with the same secret.
    if not genuine or str(told.get("origin", "")).lower() != public_origin():
        return {}
    return dict(told)
