"""Programs for people who work with the repository: `make demo` and `make readme`."""
