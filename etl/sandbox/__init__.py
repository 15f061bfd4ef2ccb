"""HTTP requests → SQLite: the other end of the wire, a server that keeps the contract and fails on demand.

It imports nothing from etl but the errors: what it knows of the contract is written from the integration page anew.
"""

from etl.sandbox.faults import KINDS, FaultRule, Faults, parse_fault
from etl.sandbox.options import Credentials, SandboxOptions
from etl.sandbox.server import Sandbox, Stats

__all__ = [
    "KINDS",
    "Credentials",
    "FaultRule",
    "Faults",
    "Sandbox",
    "SandboxOptions",
    "Stats",
    "parse_fault",
]
