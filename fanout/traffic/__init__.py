"""What passes to an endpoint, and when: slots, rates, pauses, the circuit, and its health."""
