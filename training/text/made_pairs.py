"""Pairs of texts that a program makes: dates as people write them, and numbers in words.

Each source has one meaning: years are those from 1930 to 2029, so that two digits name one of them; between
dots the day is first, between slashes the month, or the year where it has four digits at the start.
"""

import datetime

import numpy as np

from keras_vit.errors import InputError

FIRST_DAY, NUM_DAYS = datetime.date(1930, 1, 1), 36525  # to the end of 2029
NUM_NUMBERS = 1_000_000
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
DATE_FORMS = (
    "{day} {month} {year}", "{day:02} {month} {year}", "{day} {short} {year}", "{nth} {month} {year}",
    "{nth} of {month} {year}", "the {nth} of {month} {year}", "{month} {day}, {year}",
    "{short} {day}, {year}", "{month} {nth}, {year}", "{month} the {nth} {year}",
    "{month} the {nth} {two}", "{day} {month} '{two}",
    "{nth} {short} '{two}", "{day}.{number}.{year}", "{day:02}.{number:02}.{year}", "{day}.{number}.{two}",
    "{day:02}.{number:02}.{two}", "{number}/{day}/{year}", "{number:02}/{day:02}/{year}",
    "{number}/{day}/{two}", "{year}/{number:02}/{day:02}", "{year} {month} {day}", "{day}-{short}-{year}",
)  # fmt: skip
DAY_FORMS = ("{}", "{}", "{weekday}, {}", "{weekday_short}, {}")  # the first two are equal: half are without
LETTERS = (str, str, str.lower, str.upper)
_TRIES = 50  # for each pair, before there are found to be too few


def made_pairs(kind: str, count: int, seed: int) -> list[tuple[str, str]]:
    """Makes pairs of a source and a target, each source once; the same for the same arguments.

    Args:
        kind: one of `MAKERS`.
        count: int, how many.
        seed: int, decides which.

    Example:
        >>> made_pairs("dates", 2, seed=1)
        [("WED, 27 APRIL '77", '1977-04-27'), ('MON, 26TH JUNE 1933', '1933-06-26')]
    """
    random, found = np.random.default_rng(seed), {}
    for _ in range(_TRIES * count):
        source, target = MAKERS[kind](random)
        found[source] = target
        if len(found) == count:
            return list(found.items())
    raise InputError(f"There are fewer than {count:,} different {kind}: lower num_pairs.")


def date_pair(random: np.random.Generator) -> tuple[str, str]:
    """Draws a day as somebody may write it, and its digits: `("May 3rd, 1979", "1979-05-03")`."""
    date = FIRST_DAY + datetime.timedelta(int(random.integers(NUM_DAYS)))
    weekday = WEEKDAYS[date.weekday()]
    text = _one_of(DATE_FORMS, random).format(
        day=date.day,
        nth=f"{date.day}{_ending(date.day)}",
        number=date.month,
        month=MONTHS[date.month - 1],
        short=MONTHS[date.month - 1][:3],
        year=date.year,
        two=f"{date.year % 100:02}",
    )
    text = _one_of(DAY_FORMS, random).format(text, weekday=weekday, weekday_short=weekday[:3])
    return _one_of(LETTERS, random)(text), date.isoformat()


def number_pair(random: np.random.Generator) -> tuple[str, str]:
    """Draws a number below a million in words, and its digits: `("four hundred and two", "402")`.

    Short numbers are as frequent as long ones.
    """
    number = int(random.integers(10 ** int(random.integers(1, 7))))
    both, hyphen = _one_of((" and ", " "), random), _one_of(("-", " "), random)
    return _one_of(LETTERS, random)(_in_words(number, both, hyphen)), str(number)


def _in_words(number, both, hyphen):
    if number >= 1000:
        thousands, rest = divmod(number, 1000)
        words = f"{_in_words(thousands, both, hyphen)} thousand"
        joint = both if 0 < rest < 100 else " "
    elif number >= 100:
        hundreds, rest = divmod(number, 100)
        words, joint = f"{ONES[hundreds]} hundred", both
    elif number >= 20:
        tens, rest = divmod(number, 10)
        words, joint = TENS[tens], hyphen
    else:
        return ONES[number]
    return f"{words}{joint}{_in_words(rest, both, hyphen)}" if rest else words


def _ending(day):
    return "th" if 10 < day < 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def _one_of(values, random):
    return values[int(random.integers(len(values)))]


MAKERS = {"dates": date_pair, "spelled_numbers": number_pair}
