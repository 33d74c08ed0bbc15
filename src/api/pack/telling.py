"""A pack in words: figures as people write them, charts drawn, everything in one language. What `pack.typ` reads."""

from __future__ import annotations

from functools import cache
from shlex import quote
from typing import TYPE_CHECKING, Any

import font_source_sans_pro
import vl_convert

from api.pack.sections import ROLES
from ledger.formats import amount_text, number_text, percent_text, until_text
from ledger.times import is_date, parse_date, parse_instant
from projections.exports import pictures
from projections.exports.words import FIGURES, is_share, month_text, units, word
from projections.reports import find
from projections.reports.definition import Text

if TYPE_CHECKING:
    from api.pack.gathering import Pack, Part
    from projections.reports import Answer, AnswerColumn

FONT = "Source Sans Pro"
FONTS: str = font_source_sans_pro.font_directory
CHART_WIDTH, CHART_BARS = 560, 10
UPRIGHT_COLUMNS = 10
WHOLE_FROM = 1_000
"""Numbers from which decimals tell nobody anything, and make neighbours touch."""

NOTHING, MINUS = "–", "−"
GOOD = frozenset({"met", "ahead", "on_track"})

_SAY = {
    "title": Text("Tableau de bord des ventes", "Sales board pack"),
    "for": Text("Pour\u00a0: {role}", "For: {role}"),
    "team": Text("Pour\u00a0: {role}, équipe {team}", "For: {role}, team {team}"),
    "as_of": Text("Situation au", "As of"),
    "known_at": Text("tel que connu au", "as known at"),
    "reported": Text("Telle que connue ce jour-là", "As reported: as it was known that day"),
    "restated": Text("Retraitée : avec ce qu’on a appris depuis", "Restated: with what has been learnt since"),
    "earlier": Text("Telle que crue plus tôt", "As it was believed earlier"),
    "figures": Text("L’essentiel", "At a glance"),
    "contents": Text("Sommaire", "Contents"),
    "amounts": Text("Montants en {currency}", "Amounts in {currency}"),
    "period": Text("du {first} au {last}", "{first} to {last}"),
    "since": Text("depuis le {date}", "since {date}"),
    "of": Text("{title}\u00a0: {figure}", "{title}: {figure}"),
    "to_do": Text("à traiter", "to deal with"),
    "of_all": Text("{count} sur {all}", "{count} of {all}"),
    "good": Text("atteints, en avance ou en bonne voie", "met, ahead or on track"),
    "amount": Text("Montant", "Amount"),
    "deals": Text("Affaires", "Deals"),
    "previous": Text("{value} un an plus tôt", "{value} a year earlier"),
    "opening": Text("{value} au départ", "{value} at the start"),
    "open": Text("sur {value} ouverts", "of {value} open"),
    "largest": Text("Les {shown} plus grands sur {all}.", "The {shown} largest of {all}."),
    "some": Text("{shown} lignes sur {all}", "{shown} of {all} rows"),
    "largest_rows": Text(
        "Les {shown} plus grandes lignes sur {all}, par\u00a0: {by}", "The {shown} largest of {all} rows, by: {by}"
    ),
    "none": Text("aucun", "none"),
    "nothing": Text("Rien à signaler.", "Nothing to report."),
    "total": Text("Total", "Total"),
    "formula": Text("Formule", "Formula"),
    "again": Text("La même réponse", "The same answer"),
    "position": Text("position", "position"),
    "root": Text("racine", "root"),
    "page": Text("page", "page"),
    "proof": Text("Prouver ces chiffres", "Proving these figures"),
    "proof_text": Text(
        "Tout ce qui figure ici se déduit des {position} premières entrées du registre « {book} ». Leur racine de Merkle "
        "(RFC 9162, SHA-256), imprimée au pied de chaque page, les désigne à l’octet près : une seule entrée modifiée, "
        "retirée ou ajoutée entre elles donnerait une autre racine. Chaque réponse se refait depuis ces seules entrées, "
        "sans le magasin de lecture ; rien de ce qui a été écrit ensuite ne peut la changer :",
        "All that is in here follows from the first {position} entries of the book “{book}”. Their Merkle root (RFC "
        "9162, SHA-256), printed at the foot of every page, names them to the byte: a single entry altered, removed or "
        "slipped in would give another root. Each answer can be worked out again from those entries alone, without the "
        "read store; nothing written since can change it:",
    ),
}
_COMPANY = Text("Toute l’entreprise", "The whole company")
_LOCALES = {"fr": "fr_FR", "en": "en_GB"}
_KIND = {True: "right", False: "left"}


def tell(pack: Pack, lang: str) -> dict[str, Any]:
    """The whole pack as plain data, ready to be typeset."""
    say = {name: text.in_(lang) for name, text in _SAY.items()}
    as_of, known_at = (_moment(instant, pack.time_zone, lang) for instant in (pack.pair.as_of, pack.pair.known_at))
    order = (pack.pair.known_at > pack.pair.as_of) - (pack.pair.known_at < pack.pair.as_of)
    return {
        "lang": lang,
        "say": say,
        "name": pack.name,
        "book": pack.book,
        "title": say["title"] if pack.role else pack.parts[0].answer.title,
        "wide": any(len(part.section.table) > UPRIGHT_COLUMNS for part in pack.parts),
        "whose": _whose(pack, say, lang),
        "as_of": as_of,
        "known_at": known_at,
        "standing": say[{0: "reported", 1: "restated", -1: "earlier"}[order]],
        "amounts": say["amounts"].format(currency=pack.currency),
        "position": number_text(pack.position, lang),
        "root": pack.root.hex(),
        "proof": say["proof_text"].format(position=number_text(pack.position, lang), book=pack.book),
        "tiles": [_tile(part, say, lang) for part in pack.parts] if pack.role else [],
        "sections": [_section(part, pack, say, lang) for part in pack.parts],
    }


def _whose(pack: Pack, say: dict[str, str], lang: str) -> str | None:
    if pack.role is None:
        return None
    return say["team" if pack.team else "for"].format(role=ROLES[pack.role].in_(lang), team=pack.team)


def _section(part: Part, pack: Pack, say: dict[str, str], lang: str) -> dict[str, Any]:
    answer = part.answer
    bars = pictures.too_many(answer, CHART_BARS)
    return {
        "largest": say["largest"].format(shown=CHART_BARS, all=number_text(bars, lang)) if bars else None,
        "title": answer.title,
        "when": _when(part, say, lang),
        "description": part.section.about.in_(lang),
        "formula": find(answer.report).formula.in_(lang),
        "chart": _chart(answer, pack, lang) if part.section.chart and (answer.rows or answer.totals) else None,
        "table": _standing(part, say, lang) if part.section.standing else _table(part, say, lang),
        "notes": answer.notes,
        "command": _command(part, pack),
    }


def _when(part: Part, say: dict[str, str], lang: str) -> str | None:
    """The period that a section speaks of."""
    said = part.answer.parameters
    if "period" in said:
        first, _, last = said["period"].partition("..")
        return say["period"].format(first=_day(first, lang), last=_day(last, lang))
    if "from" in part.asked:
        return say["since"].format(date=_day(part.asked["from"], lang))
    return None


def _tile(part: Part, say: dict[str, str], lang: str) -> dict[str, Any]:
    """The section's figure on the first page, with what it is to be compared to."""
    answer, figures = part.answer, _totals(part.answer)
    column = next((each for each in answer.columns if each.name == part.section.figure), None)
    if column is None:
        return {"label": answer.title, "value": number_text(len(answer.rows), lang), "beside": say["to_do"]}
    if column.type == "text" and not answer.rows:
        return {"label": answer.title, "value": say["none"], "beside": None}
    if column.type == "text":
        good = sum(row.get(column.name) in GOOD for row in answer.rows)
        said = say["of_all"].format(count=number_text(good, lang), all=number_text(len(answer.rows), lang))
        return {"label": answer.title, "value": said, "beside": say["good"]}
    beside = None
    for name, words in (
        (f"previous_{column.name}", "previous"),
        ("opening_minor", "opening"),
        ("amount_minor", "open"),
    ):
        other = next((each for each in answer.columns if each.name == name and each.name != column.name), None)
        if other is not None and figures.get(name) is not None:
            beside = say[words].format(value=_short(other, figures[name], lang))
            break
    value = _short(column, figures.get(column.name), lang)
    label = answer.title if column.label == answer.title else say["of"].format(title=answer.title, figure=column.label)
    return {"label": label, "value": value, "beside": beside}


def _totals(answer: Answer) -> dict[str, Any]:
    return answer.totals or (answer.rows[0] if len(answer.rows) == 1 else {})


def _table(part: Part, say: dict[str, str], lang: str) -> dict[str, Any]:
    """Rows as a report has them, in the columns of the section that say something."""
    answer, section = part.answer, part.section
    columns = [each for each in _columns(part) if _says(answer, each)]
    chosen, by = shown_rows(part)
    rows = [[_cell(column, row, lang) for column in columns] for row in chosen]
    total = None
    if section.totals and rows and any(answer.totals.get(each.name) is not None for each in columns):
        total = [_cell(each, answer.totals, lang) if each.name in answer.totals else "" for each in columns]
        total[0] = total[0] or say["total"]
    hidden = len(answer.rows) - len(rows)
    counted = {"shown": number_text(len(rows), lang), "all": number_text(len(answer.rows), lang)}
    some = say["largest_rows"].format(by=by.label, **counted) if by else say["some"].format(**counted)
    return {
        "head": [each.label for each in columns],
        "standing": False,
        "align": [_KIND[each.type in FIGURES] for each in columns],
        "rows": rows,
        "total": total,
        "note": some if hidden else None,
        "empty": say["nothing"] if not rows else None,
    }


def shown_rows(part: Part) -> tuple[list[dict[str, Any]], AnswerColumn | None]:
    """The rows that a section prints and, where they are not all, the figure by which they are the largest.

    It is the first amount shown, else the first count; rows of dates, or without either, are the first as they stand.
    """
    rows, most, columns = part.answer.rows, part.section.most_rows, _columns(part)
    figures = [each for kind in ("money", "count") for each in columns if each.type == kind]
    if len(rows) <= most:
        return rows, None
    if not figures or columns[0].type in {"date", "month"}:
        return rows[:most], None
    by = figures[0]
    unknown = float("-inf")
    ordered = sorted(rows, key=lambda row: unknown if row.get(by.name) is None else row[by.name], reverse=True)
    return ordered[:most], by


def _columns(part: Part) -> list[AnswerColumn]:
    by = part.asked.get("by", "")
    wanted = [by if name == "{whose}" else name for name in part.section.table]
    there = {each.name: each for each in part.answer.columns}
    return [there[name] for name in wanted if name in there]


def _standing(part: Part, say: dict[str, str], lang: str) -> dict[str, Any]:
    """The figures of one row below each other; a count of deals stands beside its amount."""
    answer, figures = part.answer, _totals(part.answer)
    there = {each.name: each for each in answer.columns}
    counts = {name: there.get(name.removesuffix("_minor") + "_deals") for name in there if name.endswith("_minor")}
    beside = {each.name for each in counts.values() if each}
    rows = []
    for column in answer.columns:
        if column.type in FIGURES and column.name not in beside:
            count = counts.get(column.name)
            rows.append([column.label, _cell(column, figures, lang), _cell(count, figures, lang) if count else ""])
    head = ["", say["amount"], say["deals"]] if any(row[2] for row in rows) else None
    if head is None:
        rows = [row[:2] for row in rows]
    width = len(rows[0]) if rows else 2
    return {
        "head": head,
        "standing": True,
        "align": ["left", *["right"] * (width - 1)],
        "rows": rows,
        "total": None,
        "note": None,
        "empty": None,
    }


def _says(answer: Answer, column: AnswerColumn) -> bool:
    return any(row.get(column.name) is not None for row in (*answer.rows, answer.totals))


def _cell(column: AnswerColumn, row: dict[str, Any], lang: str) -> str:
    value = row.get(f"{column.name}_name") or row.get(column.name)
    if value is None:
        return _COMPANY.in_(lang) if column.name == "team" and row.get("scope") == "company" else NOTHING
    if isinstance(value, str):
        said = _day(value, lang, short=True) if is_date(value) else str(word(column, value, lang))
        said = month_text(said, lang) if column.type == "month" else said
        only = (row.get("product_range") or row.get("kind")) if column.name == "metric" else None
        return f"{said} ({only})" if only else said
    if column.type == "money":
        said = amount_text(value, column.unit or "", lang)
    else:
        whole = abs(value) >= WHOLE_FROM
        said = percent_text(value, lang) if is_share(column) else number_text(round(value, 0 if whole else 2), lang)
    return said.replace("-", MINUS)


def _short(column: AnswerColumn, value: Any, lang: str) -> str:
    """A figure for the first page: amounts to the whole unit, with their symbol."""
    from babel.numbers import format_currency  # noqa: PLC0415 (babel is slow to import)

    if value is None:
        return NOTHING
    if column.type != "money" or column.unit is None:
        return _cell(column, {column.name: value}, lang)
    pattern, locale = {"fr": "#,##0\u00a0¤", "en": "¤#,##0"}[lang], _LOCALES[lang]
    exact = units(value, column.unit)
    said = format_currency(exact, column.unit, pattern, locale=locale, currency_digits=False)
    return str(said).replace("-", MINUS)


def _moment(instant: int, time_zone: str, lang: str) -> str:
    day, _, time = until_text(instant, time_zone).partition(" ")
    return f"{_day(day, lang)}{' à ' if lang == 'fr' else ', '}{time}" if time else _day(day, lang)


def _day(text: str, lang: str, *, short: bool = False) -> str:
    from babel.dates import format_date  # noqa: PLC0415 (babel is slow to import)

    if not is_date(text):
        return _moment(parse_instant(text), "UTC", lang)
    said = str(format_date(parse_date(text), "short" if short else "long", locale=_LOCALES[lang]))
    return said.replace("1 ", "1er ", 1) if lang == "fr" and said.startswith("1 ") else said


def _command(part: Part, pack: Pack) -> str:
    """What gives the same answer again, from the entries alone."""
    said = " ".join(f"--{name.replace('_', '-')} {quote(value)}" for name, value in part.asked.items())
    return f"sales-ledger replay {part.answer.report} {said} --position {pack.position}"


def _chart(answer: Answer, pack: Pack, lang: str) -> str:
    _know_fonts()
    spec = pictures.definition(
        answer, lang, pack.time_zone, font=FONT, width=CHART_WIDTH, most=CHART_BARS, titled=False
    )
    return pictures.svg(spec, lang)


@cache
def _know_fonts() -> None:
    """Let Vega measure text as it will be printed."""
    vl_convert.register_font_directory(FONTS)
