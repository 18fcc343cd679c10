"""Who answers: endpoints, the model on this machine, scripts."""
