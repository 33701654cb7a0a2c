"""``python -m pipeline`` is ``cleancopy``, for launchers and templates."""

from pipeline.cli import main

if __name__ == "__main__":
    main()
