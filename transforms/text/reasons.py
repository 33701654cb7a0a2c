"""Why a record could not be used: the values of ``reason`` in ``rejects/``."""

import enum


class RejectReason(enum.StrEnum):
    """One word for each way in which a record cannot be used (``rejects.reason`` of the public interface)."""

    MALFORMED = "malformed"  # not JSON, not an object, a CSV row with too many or too few fields
    MISSING_TEXT = "missing_text"  # no text field, or a null one
    WRONG_TYPE = "wrong_type"  # a text that is a number, a list, an object
    UNDECODABLE = "undecodable"  # bytes that are no text in any encoding
    EMPTY = "empty"  # a text of nothing but white space
    EMPTY_AFTER_CLEANING = "empty_after_cleaning"
    TOO_LARGE = "too_large"
    UNREADABLE_FILE = "unreadable_file"  # a whole file, or the rest of one
