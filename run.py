"""Run one configuration, or sweep many: ``python run.py --help`` says how."""

from softres.cli.run import run_command

if __name__ == "__main__":
    raise SystemExit(run_command())
