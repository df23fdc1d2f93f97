"""Pages of a list that somebody else cuts, as ``page_turner.html`` shows them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Turning:
    """Page ``number`` (from 1) of ``total`` things, ``size`` on each."""

    number: int
    size: int
    total: int

    @property
    def paginator(self) -> Turning:
        """Django's paginator is asked for the number of pages."""
        return self

    @property
    def num_pages(self) -> int:
        return max(1, -(-self.total // self.size))

    @property
    def has_previous(self) -> bool:
        return self.number > 1

    @property
    def has_next(self) -> bool:
        return self.number < self.num_pages

    @property
    def has_other_pages(self) -> bool:
        return self.num_pages > 1

    @property
    def previous_page_number(self) -> int:
        return self.number - 1

    @property
    def next_page_number(self) -> int:
        return self.number + 1
