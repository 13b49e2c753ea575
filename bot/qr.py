"""Write an address as a QR code, for a telephone that looks at a screen or a sheet of paper."""

NOT_QR = ("11",)
"""Rows of a code that stands for none: an example."""


def qr_rows(address: str) -> tuple[str, ...]:
    """Return the rows of the QR code of an address, a "1" for each dark square and a "0" for each light one.

    A quarter of it may be dirty or torn (level Q): it hangs on doors.
    """
    import segno  # few people look at a code

    code = segno.make(address, error="q", micro=False, boost_error=False)
    return tuple("".join("1" if one else "0" for one in row) for row in code.matrix)
