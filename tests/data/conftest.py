"""What tests of real data share."""

from __future__ import annotations

import socket
import subprocess

import pytest


@pytest.fixture
def offline(monkeypatch):
    """Refuse every connection and every process, as a machine without a network would."""

    def refuse(*_, **__):
        raise AssertionError("a complete cache must start no process and open no connection")

    monkeypatch.setattr(subprocess, "run", refuse)
    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
