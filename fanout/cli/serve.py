"""`python -m fanout serve-model`: the bundled model as an endpoint for other programs."""

from __future__ import annotations

import argparse

from fanout.settings import Settings


def serve_command(options: argparse.Namespace) -> int:
    """Serve in the foreground until Ctrl+C."""
    from fanout.providers.local.serve import serve_model

    settings = Settings.from_environment()
    return serve_model(
        settings.writable_home(),
        port=options.port,
        setting=settings.local_model or None,
        key=settings.api_key,
        say=print,
    )
