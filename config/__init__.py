"""The configuration: YAML for people, frozen models for the program. Only `app.py` and builds read it."""
