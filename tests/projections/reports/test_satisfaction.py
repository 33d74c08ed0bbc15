"""How satisfied customers say they are."""

from __future__ import annotations


def said(book, name, at, *rated, **more):
    rating = dict(zip(("scale", "score"), rated, strict=True)) if rated else None
    logged = {"kind": "survey", "direction": "in", "customer": "c", "satisfaction": rating}
    return book.say(f"interaction-{name}", "interaction.logged", at, **(logged | more))


def resolved(book, name, at, **more):
    return book.say(f"interaction-{name}", "interaction.resolved", at, **more)


def test_the_three_scores(book):
    for number, score in enumerate((10, 9, 8, 7, 6, 0, 9, 10)):
        said(book, f"n{number}", "2026-01-10", "nps", score)
    for number, score in enumerate((5, 4, 3, 1)):
        said(book, f"s{number}", "2026-01-11", "csat", score)
    for number, score in enumerate((7, 4)):
        said(book, f"e{number}", "2026-01-12", "ces", score)
    totals = book.totals("satisfaction", period="2026-Q1")
    assert [totals[name] for name in ("answers", "nps_answers", "promoters", "detractors", "nps")] == [
        14,
        8,
        4,
        2,
        0.25,
    ]
    assert [totals[name] for name in ("csat_answers", "csat", "ces_answers", "ces")] == [4, 0.5, 2, 5.5]


def test_complaints_and_how_long_they_took(book):
    for number, day in enumerate(("11", "14", "20")):
        said(book, f"i{number}", "2026-01-10", kind="complaint")
        resolved(book, f"i{number}", f"2026-01-{day}")
    said(book, "still", "2026-01-12", kind="complaint")
    said(book, "other", "2026-01-12", kind="support_request")
    resolved(book, "other", "2026-03-12")
    names = ("complaints", "open_complaints", "median_days_to_resolve", "mean_days_to_resolve")
    totals = book.totals("satisfaction", period="2026-Q1")
    assert [totals[name] for name in names] == [4, 1, 4, 5]
    then = book.totals("satisfaction", period="2026-Q1", as_of="2026-01-15")
    assert [then[name] for name in names] == [4, 2, 2.5, 2.5]


def test_an_answer_takes_owner_team_and_customer_of_its_own_day(book):
    book.person("ana", "2025-01-01", "north").say("person-ana", "person.moved", "2026-02-01", team="south")
    book.customer("c", "2025-01-01", segment="small")
    book.say("customer-c", "customer.reclassified", "2026-02-01", segment="large")
    said(book, "before", "2026-01-10", "nps", 10, owner="ana")
    said(book, "after", "2026-02-10", "nps", 0, owner="ana")
    assert book.rows("satisfaction", "team", "nps", by="team") == [("north", 1), ("south", -1)]
    assert book.rows("satisfaction", "segment", "month", "nps", by="segment,month") == [
        ("large", "2026-02", -1), ("small", "2026-01", 1)
    ]  # fmt: skip


def test_merged_customers_are_one(book):
    book.customer("a", "2025-01-01").customer("b", "2025-01-01")
    said(book, "i", "2026-01-10", "nps", 10, customer="a")
    said(book, "j", "2026-01-11", "nps", 0, customer="b")
    book.say("customer-a", "customer.merged", "2026-02-01", into="b")
    assert book.rows("satisfaction", "customer", "nps", by="customer") == [("b", 0)]
    explained = book.explained("satisfaction", {"customer": "b"}, period="2026-01")
    assert [sorted(line.events) for line in explained.lines] == [
        ["customer-a", "customer-b", "interaction-i"], ["customer-b", "interaction-j"]
    ]  # fmt: skip


def test_learnt_late_and_retracted(book):
    said(book, "late", "2026-01-10", "nps", 10, recorded="2026-05-01")
    said(book, "wrong", "2026-01-11", "nps", 0).retracted("interaction-wrong", 1, "2026-06-01")

    def nps(known_at):
        return book.totals("satisfaction", period="2026-Q1", as_of="2026-03-31", known_at=known_at)["nps"]

    assert [nps("2026-03-31"), nps("2026-05-31"), nps("now")] == [-1, 0, 1]


def test_an_empty_book_has_no_scores(empty_book):
    totals = empty_book.totals("satisfaction", period="2026-Q1")
    names = ("answers", "complaints", "nps", "csat", "ces", "median_days_to_resolve", "mean_days_to_resolve")
    assert [totals[name] for name in names] == [0, 0, None, None, None, None, None]
