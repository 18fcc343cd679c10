"""The one-file report: a run for somebody who has nothing installed."""

from fanout.export.html.page import html_report

__all__ = ["html_report"]
