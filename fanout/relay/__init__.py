"""What the processes of one deployment tell each other: live events, requests and answers."""
