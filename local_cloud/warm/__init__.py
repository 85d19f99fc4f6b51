"""Python that has imported what builds and commands import, and forks for each of them.

Much of a build's processor time is Python that starts and imports the same libraries. `shims` makes a folder with
`python`, `python3` and `aws`: each hands its words, environment, directory and streams to a `parent`, which has the
libraries of this virtual environment and none of the project's modules, and forks. The same interpreter runs the same
files. Without a parent, or with other options than `-m` and `-c`, a shim becomes the real program.
"""
