"""Spreadsheets into SALESmanago, safely."""
