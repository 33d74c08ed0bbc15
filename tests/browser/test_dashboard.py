"""The dashboard in a real browser. Every visit also checks: no console message, no CSP violation, no third party."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import httpx
import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAST = {"as_of": "2026-06-30", "lang": "en"}


@pytest.fixture
def past(visit, demo):
    seen = visit(demo)
    seen.open(**PAST)
    return seen


def text(seen, selector):
    return " ".join(seen.page.inner_text(selector).split())


def test_the_page_draws_the_forecast_of_its_date(past):
    assert text(past, "#when") == "30 June 2026"
    assert text(past, "#knowing") == "as we knew it that day"
    assert len({colour for colour, _ in past.bars()}) >= 3
    assert re.fullmatch(r"€[\d,]+\.\d\d", text(past, "#figure-open .value").replace(" ", ""))


def test_the_headline_is_the_reports_own_total(past):
    answer = past.page.request.get(f"{past.base}/v1/reports/forecast?as_of=2026-06-30").json()
    shown = int(re.sub(r"\D", "", text(past, "#figure-open .value")))
    assert shown == answer["totals"]["amount_minor"]


def test_the_slider_changes_the_picture_by_keyboard(past):
    before = past.bars()
    past.page.focus("#slider")
    past.redrawn(lambda: past.page.keyboard.press("PageDown"))
    assert text(past, "#when") == "31 May 2026"
    assert past.page.get_attribute("#slider", "aria-valuetext") == "31 May 2026"
    assert past.bars() != before
    past.redrawn(lambda: past.page.keyboard.press("ArrowRight"))
    assert text(past, "#when") == "7 June 2026"


def test_a_drag_ends_on_the_last_date_asked_for(past):
    past.page.eval_on_selector(
        "#slider",
        "slider => { for (let i = 1; i <= 25; i++) { slider.value -= 1; slider.dispatchEvent(new Event('input')); } }",
    )
    last = past.page.input_value("#pick")
    past.page.wait_for_selector(f"#json[href*='{last}']")
    asked = [url for url in past.asked if "/forecast?" in url]
    assert len(asked) < 15


def test_restating_asks_for_what_is_known_now_and_keeps_it_in_the_address(past):
    past.redrawn(lambda: past.switch("mode", "restated"))
    assert text(past, "#knowing") == "with all that is known today"
    assert "known_at=now" in past.page.url
    assert "known_at=now" in past.page.get_attribute("#json", "href")


def test_the_summary_is_told_to_those_who_cannot_see_the_picture(past):
    assert text(past, "#summary").startswith("30 June 2026: €")
    assert past.page.get_attribute("#summary", "aria-live") == "polite"


def test_weighted_amounts_make_the_bars_smaller(past):
    def total():
        past.page.evaluate("document.querySelector('.as-table').open = true")
        cells = past.page.locator("#table tbody tr td:nth-child(3)").all_inner_texts()
        return sum(int(re.sub(r"\D", "", cell) or 0) for cell in cells)

    amount = total()
    past.switch("measure", "weighted")
    assert 0 < total() < amount


def test_a_bar_leads_to_its_deals_and_a_deal_to_its_history(past):
    past.choose(at=6)
    assert text(past, "#deals-heading") == "July 2026: open deals"
    rows = past.page.locator("#deals-table tbody tr")
    assert rows.count() > 1
    rows.first.locator("button").click()
    past.page.wait_for_selector("#history[open]")
    assert re.match(r"Opened at \w+.* for €[\d,.]+", text(past, "#events li:first-child h3"))
    assert "position" in text(past, "#events")
    past.page.keyboard.press("Escape")
    past.page.click("#deals-close")
    assert past.page.is_hidden("#deals")


def test_a_month_gone_by_leads_to_what_it_has_won(past):
    past.choose(at=0)
    assert text(past, "#deals-heading") == "January 2026: deals won"


def test_the_deals_add_up_to_their_bar(past):
    past.page.evaluate("document.querySelector('.as-table').open = true")
    cell = past.page.locator("#table tbody tr", has_text="July 2026").locator("td").nth(1).locator("button")
    amount = cell.inner_text()
    cell.click()
    past.page.wait_for_selector("#deals:not([hidden])[aria-busy=false]")
    assert text(past, "#deals-count").endswith(amount)


def test_what_was_not_yet_known_is_marked_in_a_deals_history(past):
    past.choose(at=6)
    past.page.locator("#deals-table tbody button").first.click()
    past.page.wait_for_selector("#history[open]")
    assert "not yet known on 30 June 2026" in text(past, "#events")


def test_a_retracted_event_is_struck_through_and_says_why(past):
    stream = past.page.request.get(f"{past.base}/v1/events?type=event.retracted&limit=1").json()["events"][0]["stream"]
    past.page.evaluate(
        """async (stream) => {
          const { showStory } = await import(document.querySelector("script[type=module]").src.replace("dashboard", "story"));
          await showStory({ stream }, { asOf: "2026-10-15", restated: true });
        }""",
        stream,
    )
    struck = past.page.locator("#events li.retracted").first
    assert struck.locator("h3 s").count() == 1
    assert re.match(r"retracted on \d+ \w+ \d{4}( \d\d:\d\d)? by demo: \w+", struck.locator(".retraction").inner_text())


def test_french_is_french_throughout(visit, demo):
    seen = visit(demo, locale="fr-FR")
    seen.open(as_of="2026-06-30")
    assert seen.page.get_attribute("html", "lang") == "fr"
    assert text(seen, "#when") == "30 juin 2026"
    assert re.search(r"\d+,\d\d €$", text(seen, "#figure-open .value"))
    assert "janv" in seen.page.inner_text("#chart") or "juil" in seen.page.inner_text("#chart")
    left = seen.page.inner_text("body")
    assert not re.search(r"\b(Open|Weighted|undefined|null|NaN)\b|\{\w+\}", left)


def test_the_notes_of_an_answer_are_in_the_pages_language_not_the_browsers(visit, demo):
    seen = visit(demo)
    seen.open(as_of="2026-06-30", lang="fr")
    assert "reposent sur des événements" in text(seen, "#provenance")


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_nothing_sticks_out_at_any_width(visit, demo, width, lang):
    seen = visit(demo, width=width)
    seen.open(as_of="2026-06-30", lang=lang)
    seen.choose(at=6)
    assert seen.page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_the_deals_of_a_narrow_page_are_whole(visit, demo, lang):
    seen = visit(demo, width=400)
    seen.open(as_of="2026-06-30", lang=lang)
    seen.choose(at=6)
    cut = """parts => parts.filter(part => part.scrollWidth > part.clientWidth || part.getBoundingClientRect().right > 400)
      .map(part => part.textContent)"""
    assert seen.page.eval_on_selector_all("#deals .scroll, #deals .name, #deals td:not(.spare)", cut) == []
    weighted = seen.page.locator("#deals td.number:not(.spare) .under").first
    assert ("pondérés" if lang == "fr" else "weighted") in weighted.inner_text()
    assert seen.page.inner_text("#deals-heading")[0].isupper()


def test_the_narrow_page_lays_its_bars_down_in_the_order_of_months(visit, demo):
    seen = visit(demo, width=400)
    seen.open(**PAST)
    seen.page.focus("#slider")
    seen.redrawn(lambda: seen.page.keyboard.press("PageDown"))
    labels = seen.page.eval_on_selector_all(
        "#chart .role-axis-label text",
        "all => all.map(e => [e.getBoundingClientRect().top, e.textContent]).sort((a, b) => a[0] - b[0]).map(e => e[1])",
    )
    months = [label for label in labels if re.match(r"[A-Z][a-z]+", label)]
    assert months[:3] == ["Dec 2025", "Jan 2026", "Feb"]
    assert months[-3:] == ["Overdue", "Later", "No date"]


def test_a_figure_that_cannot_be_read_is_told_in_place_and_can_be_tried_again(visit, demo):
    seen = visit(demo)
    seen.open(**PAST)
    body = json.dumps({"detail": "the database did not answer"})
    seen.page.route("**/v1/reports/sales*", lambda route: route.fulfill(status=503, body=body))
    seen.page.click("#earlier")
    seen.page.wait_for_selector("#notice button")
    assert "the database did not answer" in text(seen, "#notice")
    seen.page.unroute("**/v1/reports/sales*")
    seen.page.click("#notice button")
    seen.page.wait_for_selector("#notice[hidden]", state="attached")
    seen.complaints[:] = [each for each in seen.complaints if "503" not in each]


def fails(seen, pattern="**/v1/reports/**"):
    """Let these questions be answered with 503; what the browser says of it is no complaint."""
    body = json.dumps({"detail": "the database did not answer"})
    seen.page.route(pattern, lambda route: route.fulfill(status=503, body=body))


def forgive(seen):
    seen.complaints[:] = [each for each in seen.complaints if "503" not in each]


def test_a_date_that_cannot_be_read_shows_no_figures_of_another(visit, demo):
    seen = visit(demo)
    seen.open(as_of="2026-09-30", lang="fr")
    seen.choose(at=5)
    fails(seen)
    seen.page.click("#earlier")
    seen.page.wait_for_selector("#notice button")
    assert text(seen, "#when") == "20 septembre 2026"
    assert seen.page.locator(".figure .value").all_inner_texts() == ["–"] * 4
    assert seen.page.inner_text(".figures").count("€") == 0
    assert seen.page.is_hidden("#chart svg")
    assert seen.page.locator("#table tr, #deals-table tr").count() == 0
    assert text(seen, "#provenance") == text(seen, "#summary") == ""
    assert "as_of=2026-09-20" in seen.page.get_attribute("#json", "href")
    assert "--as-of 2026-09-20" in text(seen, "#command")
    seen.page.unroute("**/v1/reports/**")
    seen.page.click("#notice button")
    seen.page.wait_for_selector("#notice[hidden]", state="attached")
    seen.page.wait_for_selector("#deals[aria-busy=false] td")
    assert "€" in text(seen, "#figure-open .value")
    forgive(seen)


def test_the_month_won_is_named_after_the_date_that_failed(visit, demo):
    seen = visit(demo)
    seen.open(as_of="2026-09-02", lang="en")
    fails(seen)
    seen.page.click("#earlier")
    seen.page.wait_for_selector("#notice button")
    assert text(seen, "#when") == "23 August 2026"
    assert text(seen, "#figure-won_month h2") == "Won in August 2026"
    forgive(seen)


def test_while_another_date_is_read_the_page_says_so_and_is_pale(past):
    waiting = []
    past.page.route("**/v1/reports/**", lambda route: waiting.append(route))  # noqa: PLW0108 (playwright marks its handlers)
    past.page.click("#earlier")
    parts = ".figures, .picture, footer"
    busy = "parts => parts.map(part => part.getAttribute('aria-busy'))"
    assert past.page.eval_on_selector_all(parts, busy) == ["true"] * 3
    assert past.page.is_hidden("#notice")
    past.page.wait_for_selector("#notice:not([hidden])")
    assert text(past, "#notice") == "Reading the ledger…"
    assert float(past.page.eval_on_selector("#figure-open .value", "value => getComputedStyle(value).opacity")) < 1
    for route in waiting:
        route.continue_()
    past.page.unroute("**/v1/reports/**")
    past.page.wait_for_selector("#notice[hidden]", state="attached")
    past.page.wait_for_selector(".figures[aria-busy=false]")
    assert past.page.eval_on_selector_all(parts, busy) == ["false"] * 3


def test_a_measure_chosen_before_anything_was_read_breaks_nothing(visit, demo):
    seen = visit(demo)
    fails(seen)
    seen.page.goto(f"{demo}/?lang=en")
    seen.page.wait_for_selector("#notice button")
    seen.switch("measure", "weighted")
    seen.page.wait_for_timeout(100)
    forgive(seen)


STAGE = {"stage": "talk", "name": "Talk", "probability_bp": 2000, "category": "pipeline"}


def begin(address, *, deals, value=None, close_on=None):
    """Write a pipeline and its open deals into an empty book, one deal's stream being `deal-0`."""
    deal: dict[str, Any] = {"pipeline": "main", "stage": "talk", "owner": "ana", "title": "Neuf"}
    deal |= {"value": {"minor": value, "currency": "EUR"}} if value else {}
    deal |= {"expected_close_on": close_on} if close_on else {}
    lines: list[Any] = [
        {"stream": "pipeline-main", "type": "pipeline.defined", "data": {"name": "Sales", "stages": [STAGE]}},
        *({"stream": f"deal-{number}", "type": "deal.opened", "data": deal} for number in range(deals)),
    ]
    append(address, lines)


def colours_of(visit, address, scheme, stages):
    """The colours of a pipeline of so many stages, the surest first."""
    begin(address, deals=1)
    named = [
        {
            "stage": f"s{number}",
            "name": f"Stage {number}",
            "probability_bp": 9000 - 900 * number,
            "category": "pipeline",
        }
        for number in range(stages)
    ]
    redefined = [{**STAGE, "probability_bp": named[-1]["probability_bp"]}, *named[:-1]]
    append(address, [{"stream": "pipeline-main", "type": "pipeline.redefined", "data": {"stages": redefined}}])
    seen = visit(address)
    seen.page.emulate_media(color_scheme=scheme)
    seen.open(lang="en")
    return seen.page.evaluate(
        """async () => {
          const { palette } = await import(document.querySelector("script[type=module]").src.replace("dashboard", "colours"));
          return [...palette().values()].map(({ colour }) => colour);
        }"""
    )


def apart(one, other):
    """How far apart the channels of two colours are together."""
    return sum(abs(int(one[at : at + 2], 16) - int(other[at : at + 2], 16)) for at in (1, 3, 5))


@pytest.mark.parametrize(
    ("scheme", "few"),
    [
        ("light", ["#1d2f66", "#3a5bb0", "#6f9bd8", "#a9b4e6", "#d9c9ea"]),
        ("dark", ["#e3e9ff", "#a9bbf0", "#6f8fd6", "#5563a8", "#57436f"]),
    ],
)
def test_stages_can_be_told_apart_by_their_colours(visit, nothing, scheme, few):
    many = colours_of(visit, nothing, scheme, 9)
    assert (many[:5], len(set(many))) == (few, 9)
    assert min(apart(one, other) for one, other in itertools.pairwise(many)) > 60


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_few_stages_are_spread_over_the_blues(visit, nothing, scheme):
    few = colours_of(visit, nothing, scheme, 3)
    assert len(few) == 3
    assert min(apart(one, other) for one, other in itertools.pairwise(few)) > 150


def append(address, lines):
    answer = httpx.post(f"{address}/v1/events", json=lines)
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    ("lang", "deals", "words"),
    [
        ("fr", 2, "2 affaires sont en cours, dont aucune n’a de montant."),
        ("en", 2, "2 deals are open, none with an amount."),
        ("en", 1, "One deal is open, and it has no amount."),
    ],
)
def test_open_deals_without_an_amount_are_not_nothing(visit, nothing, lang, deals, words):
    begin(nothing, deals=deals)
    seen = visit(nothing)
    seen.open(lang=lang)
    assert text(seen, "#notice") == words


def test_nothing_open_is_said_where_there_is_nothing(visit, nothing):
    begin(nothing, deals=1)
    append(nothing, [{"stream": "deal-0", "type": "deal.lost", "data": {"reason": "price"}}])
    seen = visit(nothing)
    seen.open(lang="en")
    assert text(seen, "#notice") == "Nothing is open and nothing was won around this date."


@pytest.mark.parametrize(("lang", "words"), [("fr", "0 affaire"), ("en", "0 deals")])
def test_nothing_is_singular_in_french(visit, nothing, lang, words):
    begin(nothing, deals=1)
    append(nothing, [{"stream": "deal-0", "type": "deal.lost", "data": {"reason": "price"}}])
    seen = visit(nothing)
    seen.open(lang=lang)
    assert text(seen, "#figure-open .aside") == text(seen, "#figure-won_month .aside") == words


@pytest.mark.parametrize(
    ("lang", "asked", "words"),
    [
        ("fr", "demain", "« demain » n’est pas une date écrite année-mois-jour : voici aujourd’hui."),
        ("fr", "2026-02-30", "Le « 2026-02-30 » n’existe pas dans le calendrier : voici aujourd’hui."),
        ("en", "2026-02-30", "“2026-02-30” does not exist in the calendar, so today is shown."),
        ("en", "last-quarter", "“last-quarter” is no date written as year-month-day, so today is shown."),
        ("en", "2131-01-01", "1 January 2131 is still to come, so today is shown."),
        ("en", "1990-01-02", "2 January 1990 is before the first deal or sale, of "),
    ],
)
def test_a_date_the_page_cannot_take_is_said_and_today_is_shown(visit, demo, lang, asked, words):
    seen = visit(demo)
    seen.open(as_of=asked, lang=lang)
    assert text(seen, "#refused").startswith(words)
    assert seen.page.input_value("#pick") == seen.page.get_attribute("#pick", "max")
    seen.redrawn(lambda: seen.page.click("#earlier"))
    assert seen.page.is_hidden("#refused")


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            "fr",
            "Cette page montre ce qui était connu à la date choisie, ou ce qu’on sait aujourd’hui (known_at=now) : ",
        ),
        ("en", "This page shows what was known on the chosen date, or what is known today (known_at=now): "),
    ],
)
def test_another_date_of_knowledge_is_said_not_to_be_taken(visit, demo, lang, words):
    seen = visit(demo)
    seen.open(as_of="2026-06-30", known_at="2026-07-31", lang=lang)
    assert text(seen, "#refused").startswith(f"{words}{'«' if lang == 'fr' else '“'}")
    assert "2026-07-31" in text(seen, "#refused")
    assert seen.page.input_value("#pick") == "2026-06-30"


@pytest.mark.parametrize("known", ["2026-06-30", "now"])
def test_the_dates_of_knowledge_that_the_page_has_are_taken_without_a_word(visit, demo, known):
    seen = visit(demo)
    seen.open(as_of="2026-06-30", known_at=known, lang="en")
    assert seen.page.is_hidden("#refused")
    assert seen.page.is_checked("#mode [value=restated]") == (known == "now")


def test_a_date_the_page_can_take_is_shown_without_a_word(past):
    assert past.page.is_hidden("#refused")


def test_the_deals_of_a_bar_add_up_to_it_weighted_too(past):
    past.page.evaluate("document.querySelector('.as-table').open = true")
    past.switch("measure", "weighted")
    cell = past.page.locator("#table tbody tr", has_text="July 2026").locator("td").nth(1).locator("button")
    amount = cell.inner_text()
    cell.click()
    past.page.wait_for_selector("#deals:not([hidden])[aria-busy=false]")
    assert text(past, "#deals-count").endswith(f"· {amount} weighted")
    past.switch("measure", "amount")
    past.page.wait_for_function("() => /largest first · [^ ]+$/.test(document.getElementById('deals-count').innerText)")


def test_the_table_has_no_column_without_a_name(past):
    past.page.route("**/v1/reports/forecast?*", without_stage)
    past.redrawn(lambda: past.page.click("#earlier"))
    past.page.evaluate("document.querySelector('.as-table').open = true")
    heads = past.page.locator("#table thead th").all_inner_texts()
    assert heads[:3] == ["Month", "Won", "Open"]
    assert "–" not in heads


def without_stage(route):
    """The answer with a row that holds only what was won, of no stage."""
    answer = route.fetch()
    body = answer.json()
    won = {"stage": None, "stage_name": None, "deals": 0, "amount_minor": 0, "weighted_minor": 0, "won_minor": 100}
    body["rows"].append(body["rows"][0] | won)
    route.fulfill(response=answer, json=body)


def test_the_measure_survives_a_reload_and_the_other_language(past):
    past.switch("measure", "weighted")
    assert "measure=weighted" in past.page.url
    past.page.click(".languages a[hreflang=fr]")
    past.page.wait_for_selector("#chart svg")
    past.page.wait_for_load_state("networkidle")
    assert past.page.is_checked("#measure [value=weighted]")
    assert "measure=weighted" in past.page.url


@pytest.mark.parametrize(("lang", "date"), [("fr", "1er juillet 2026"), ("en", "1 July 2026")])
def test_the_first_of_a_month_is_an_ordinal_in_french(visit, demo, lang, date):
    seen = visit(demo)
    seen.open(as_of="2026-07-01", lang=lang)
    assert text(seen, "#when") == date


def test_on_a_narrow_page_the_notice_leaves_the_months_free(visit, nothing):
    begin(nothing, deals=2)
    seen = visit(nothing, width=400)
    seen.open(lang="fr")
    covered = """labels => {
      const over = document.querySelector("#notice span").getBoundingClientRect();
      const meets = (at) => at.left < over.right && at.right > over.left && at.top < over.bottom && at.bottom > over.top;
      return labels.filter(label => meets(label.getBoundingClientRect())).map(label => label.textContent);
    }"""
    assert seen.page.eval_on_selector_all("#chart .role-axis-label text", covered) == []


def test_showing_the_last_deals_leaves_the_focus_in_the_table(past):
    past.page.route("**/explain?*", lambda route: route.continue_(url=route.request.url.replace("limit=25", "limit=3")))
    past.choose(at=6)
    offered = past.page.locator("#deals-more")
    assert offered.is_visible()
    while offered.is_visible():
        before = past.page.locator("#deals-table tbody tr").count()
        past.page.focus("#deals-more")
        past.page.keyboard.press("Enter")
        past.page.wait_for_function(f"() => document.querySelectorAll('#deals-table tbody tr').length > {before}")
    assert past.page.evaluate("document.activeElement.closest('#deals-table') !== null")


def test_deals_that_cannot_be_read_are_told_of_in_their_panel(past):
    fails(past, "**/v1/reports/forecast/explain*")
    past.choose(at=6)
    assert "the database did not answer" in text(past, "#deals-count")
    assert past.page.is_hidden("#notice")
    past.page.unroute("**/v1/reports/forecast/explain*")
    past.page.click("#deals-count button")
    past.page.wait_for_selector("#deals-table tbody tr")
    assert "deals, largest first" in text(past, "#deals-count")
    forgive(past)


def test_a_history_that_cannot_be_read_is_told_of_in_its_dialog(past):
    past.choose(at=6)
    fails(past, "**/v1/streams/**")
    past.page.locator("#deals-table tbody button").first.click()
    past.page.wait_for_selector("#history[open]")
    assert "the database did not answer" in text(past, "#events")
    assert past.page.is_hidden("#notice")
    past.page.unroute("**/v1/streams/**")
    past.page.click("#events button")
    past.page.wait_for_selector("#events h3")
    forgive(past)


@pytest.mark.parametrize(("lang", "words"), [("en", "Nothing to forecast yet"), ("fr", "Rien à prévoir")])
def test_an_empty_book_greets(visit, nothing, lang, words):
    seen = visit(nothing, width=400)
    seen.page.goto(f"{nothing}/?lang={lang}")
    assert words in seen.page.inner_text("h1")
    assert seen.page.evaluate("document.documentElement.scrollWidth") == 400


def test_sliding_to_last_quarter_is_quick(past):
    past.redrawn(lambda: past.page.click("#earlier"))
    past.page.focus("#slider")
    took = [past.redrawn(lambda: past.page.keyboard.press("PageDown")) for _ in range(5)]
    assert min(took) < 300  # the others also tell what else the machine was doing
