"""What it costs to win customers, and what they bring."""

from __future__ import annotations

from tests.support.book import eur, money


def won(book, customer, at, value=0, margin=0, **more):
    deal = f"{customer}-{at}"
    return book.deal(deal, at, eur(value), customer=customer, margin=eur(margin), **more).won(deal, at)


def spent(book, stream, at, value):
    return book.say(stream, f"{stream.partition('-')[0]}.spent", at, value=value)


def fair(book, at="2025-12-01"):
    return book.say("campaign-fair26", "campaign.launched", at, name="Fair", channel="fair", starts_on="2026-01-01")


COUNTS = ("channel", "spent_minor", "leads", "customers", "cost_per_lead_minor", "cac_minor")


def test_costs_leads_and_customers_by_channel(book):
    fair(book)
    spent(book, "campaign-fair26", "2026-01-10", eur(10_000))
    spent(book, "channel-web", "2026-02-10", eur(3_001))
    spent(book, "channel-web", "2026-04-10", eur(9_999))
    for number, channel in enumerate(("fair", "fair", "fair", "web", None)):
        book.customer(f"c{number}", "2026-01-15", kind="lead", channel=channel)
    won(book, "c0", "2026-02-01", 50_000, 8_000)
    won(book, "c1", "2026-02-02", 20_000, 4_000)
    won(book, "c1", "2026-05-02", 30_000, 6_000)
    won(book, "c3", "2026-03-02", 1_000, 100)
    rows = book.rows("acquisition", *COUNTS, period="2026-Q1")
    assert rows == [("fair", 10_000, 3, 2, 3_333, 5_000), ("web", 3_001, 1, 1, 3_001, 3_001), (None, 0, 1, 0, 0, None)]
    money_rows = book.rows(
        "acquisition", "revenue_minor", "margin_minor", "roi", period="2026-Q1", where="channel=fair"
    )
    assert money_rows == [(100_000, 18_000, 0.8)]
    assert book.rows("acquisition", "margin_minor", period="2026-Q1", where="channel=fair", as_of="2026-03-31") == [
        (12_000,)
    ]


def test_lifetime_value_to_cost_and_payback(book):
    """Two of four customers lost in a year: two years left. 12 wins of 100 margin a year: 100 a month for a CAC of 300."""
    for number in range(4):
        book.customer(f"old{number}", "2024-01-01")
        won(book, f"old{number}", "2024-06-10", 1, 1)
    for number in range(2):
        book.say(f"customer-old{number}", "customer.churned", "2026-02-01", reason="price")
    spent(book, "channel-web", "2026-01-02", eur(300))
    book.customer("new", "2026-01-01", channel="web")
    for month in range(1, 13):
        won(book, "new", f"2026-{month:02}-05", 1_000, 100)
    [row] = book.report("acquisition", period="2026-Q1", where="channel=web", rule="declared").rows
    assert [row["customers"], row["cac_minor"], row["payback_months"]] == [1, 300, 3]
    assert row["ltv_to_cac"] == (1_200 + 1_200 * 2) / 300


def test_a_win_without_a_margin_lengthens_no_payback(book):
    """Two wins a year of 100 margin each, as far as is told, for a CAC of 100: half a year."""
    book.customer("new", "2026-01-01", channel="web")
    spent(book, "channel-web", "2026-01-02", eur(100))
    won(book, "new", "2026-01-05", 1_000, 100)
    book.deal("silent", "2026-01-06", eur(1_000), customer="new").won("silent", "2026-02-05")
    [row] = book.report("acquisition", period="2026-Q1", where="channel=web").rows
    assert [row["customers"], row["margin_minor"], row["payback_months"]] == [1, 100, 6]


def test_what_nobody_says_a_customer_brought_is_unknown(book):
    book.customer("c", "2026-01-01", channel="web")
    book.deal("silent", "2026-01-06", customer="c").won("silent", "2026-02-05")
    assert book.rows("acquisition", "customers", "revenue_minor", "margin_minor", "roi") == [(1, None, None, None)]
    won(book, "c", "2026-03-05", 1_000, 100)
    assert book.rows("acquisition", "customers", "revenue_minor", "margin_minor") == [(1, 1_000, 100)]


def test_a_customer_comes_from_its_first_win_else_from_itself_that_day(book):
    fair(book)
    book.customer("a", "2026-01-01", channel="web").customer("b", "2026-01-01", channel="web")
    book.customer("c", "2026-01-01", campaign="fair26")
    won(book, "a", "2026-02-01", channel="phone")
    won(book, "b", "2026-02-01")
    won(book, "c", "2026-02-02")
    book.say("customer-b", "customer.reclassified", "2026-02-02", channel="fair")
    rows = book.rows("acquisition", "channel", "campaign", "customers", by="campaign", period="2026-Q1")
    assert rows == [("fair", "fair26", 1), ("phone", None, 1), ("web", None, 1)]


def test_costs_at_the_rate_of_their_day(book):
    book.rate("USD", "2025-01-01", "0.5").rate("USD", "2026-02-01", "2")
    spent(book, "channel-web", "2026-01-10", money(101, "USD"))
    spent(book, "channel-web", "2026-02-10", money(101, "USD"))
    assert book.totals("acquisition", period="2026-Q1")["spent_minor"] == 50 + 202
    assert book.totals("acquisition", period="2026-Q1", fx="constant")["spent_minor"] == 404


def test_an_earlier_win_learnt_late_and_a_retracted_cost(book):
    book.customer("c", "2025-01-01", channel="web")
    won(book, "c", "2026-02-10", 10)
    spent(book, "channel-web", "2026-02-01", eur(500)).retracted("channel-web", 1, "2026-06-10")
    book.deal("late", "2025-02-01", eur(1), customer="c").won("late", "2025-02-05", recorded="2026-05-10")
    asked = {"period": "2026-Q1", "as_of": "2026-03-31"}
    assert book.rows("acquisition", *COUNTS[:4], **asked) == [("web", 500, 0, 1)]
    assert book.rows("acquisition", *COUNTS[:4], known_at="2026-05-31", **asked) == [("web", 500, 0, 0)]
    assert book.rows("acquisition", *COUNTS[:4], known_at="now", **asked) == []


def test_merged_leads_and_customers_are_one(book):
    for customer in ("a", "b"):
        book.customer(customer, "2026-01-05", kind="lead", channel="web")
        won(book, customer, "2026-02-10", 10)
    book.say("customer-a", "customer.merged", "2026-04-10", into="b")
    assert book.rows("acquisition", *COUNTS[:4], period="2026-Q1", as_of="2026-03-31") == [("web", 0, 2, 2)]
    assert book.rows("acquisition", *COUNTS[:4], period="2026-Q1") == [("web", 0, 1, 1)]


def test_of_first_wins_at_one_instant_the_one_appended_first_counts(book):
    """Also where they are of customers merged since, whatever their deals are called."""
    book.customer("a", "2026-01-01").customer("b", "2026-01-01").customer("c", "2026-01-01")
    for deal, customer, channel in ("z", "a", "web"), ("y", "a", "fair"), ("x", "b", "phone"), ("w", "c", "mail"):
        book.deal(deal, "2026-01-02", eur(1), customer=customer, channel=channel)
    book.won("z", "2026-02-01").won("x", "2026-02-01").won("y", "2026-02-01").won("w", "2026-01-31")
    asked = {"by": "channel", "period": "2026-Q1"}
    assert book.rows("acquisition", "channel", "customers", **asked) == [("mail", 1), ("phone", 1), ("web", 1)]
    book.say("customer-b", "customer.merged", "2026-03-01", into="a")
    assert book.rows("acquisition", "channel", "customers", **asked) == [("mail", 1), ("web", 1)]
    book.say("customer-a", "customer.merged", "2026-03-02", into="c")
    assert book.rows("acquisition", "channel", "customers", **asked) == [("mail", 1)]


def test_an_empty_book_divides_by_nothing(empty_book):
    totals = empty_book.totals("acquisition", period="2026-Q1")
    names = ("spent_minor", "customers", "cost_per_lead_minor", "cac_minor", "roi", "ltv_to_cac", "payback_months")
    assert [totals[name] for name in names] == [0, 0, None, None, None, None, None]


def test_an_explanation_lists_costs_leads_and_customers(book):
    book.customer("c", "2026-01-05", kind="lead", channel="web")
    spent(book, "channel-web", "2026-02-01", eur(500))
    won(book, "c", "2026-02-10", 10)
    explained = book.explained("acquisition", {"channel": "web"}, period="2026-Q1")
    assert [(line.stream, line.state) for line in explained.lines] == [
        ("channel-web", "cost"), ("customer-c", "lead"), ("customer-c", None)
    ]  # fmt: skip
    assert "deal-c-2026-02-10" in explained.lines[2].events
