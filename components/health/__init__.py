"""How the endpoints are: what they are doing, what their limits leave, how often they fail."""

from components.health.panel import health_panel

__all__ = ["health_panel"]
