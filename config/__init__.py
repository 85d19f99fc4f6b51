"""The configuration: YAML for people, frozen models for the program.

`app.py`, builds and the command line read it; constructs and functions are handed what they need of it.
"""
