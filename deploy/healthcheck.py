"""Whether the app on this machine answers: exit status 0, or 1 and a line that says why not.

    python healthcheck.py [PORT]

Standard library only: it runs every few seconds.
"""

from __future__ import annotations

import sys
from http.client import HTTPConnection, HTTPException

PATH = "/_stcore/health"
WAIT_S = 4.0


def main(arguments: list[str]) -> int:
    port = int(arguments[0]) if arguments else 8501
    connection = HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
    try:
        connection.request("GET", PATH)
        answer = connection.getresponse()
        said = answer.read(100).strip()
    except (OSError, HTTPException) as error:
        sys.stderr.write(f"port {port} does not answer: {type(error).__name__}\n")
        return 1
    finally:
        connection.close()
    if answer.status != 200 or said != b"ok":
        sys.stderr.write(f"port {port} answers {answer.status}, which is no app in good health\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
