"""Tests of the users' zone: they come and go with the component that `component/` names."""
