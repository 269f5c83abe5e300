"""A small valid registry as files, to be spoiled in one place by each test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

FILES = {
    "customers.csv": (
        "customer,name,legal_name,address,vat_number,email,country,language,currency,entity,payment_terms_days,tax_type,"
        "account_manager,policy\n"
        "acme,Acme,Acme AS,1 Street,,pay@acme.example,NO,en,NOK,ALB,14,NONE,kam@albacore.example,\n"
        "bolt,Bolt,Bolt Oy,2 Street,,pay@bolt.example,FI,fi,EUR,ALB,30,NONE,kam@albacore.example,default\n"
    ),
    "assignments.csv": (
        "site,machine,customer,from_day,to_day,state\n"
        "norway,NO-0001,acme,2025-10-01,2025-10-14,\n"
        "norway,NO-0001,bolt,2025-10-15,,billable\n"
        "finland,FI-0001,bolt,2025-10-01,,repair\n"
    ),
    "tariffs.csv": (
        "tariff,customer,site,from_day,to_day,kind,currency,unit_price,multiplier,fee_per_machine_day,minimum_per_month\n"
        "nok,,,2025-01-01,,flat,NOK,0.70,,,\n"
        "eur,,,2025-01-01,2025-10-19,flat,EUR,0.07,1.1,0.5,100\n"
        "eur,,,2025-10-20,,flat,EUR,0.08,1.1,0.5,100\n"
    ),
    "machines.csv": "site,machine,rated_watts,serial,model\nnorway,NO-0001,3200,S1,M1\n",
    "policies.yaml": "default:\n  - from_day: 2025-01-01\n    customers_per_day: 7\n",
}

# Files with every kind of tariff, to be written beside the ones above.
KINDS = {
    "tariffs.csv": (
        "tariff,customer,site,from_day,to_day,kind,currency,unit_price,multiplier,fee_per_machine_day,minimum_per_month,"
        "index\n"
        "nok,,,2025-01-01,,flat,NOK,0.70,,,,\n"
        "eur,,,2025-01-01,,flat,EUR,0.07,1.1,0.5,100,\n"
        "tier,,finland,2025-01-01,,tiered,EUR,0.09,,,,\n"
        "night,acme,,2025-01-01,,time_of_use,NOK,,,,,\n"
        "spot,bolt,norway,2025-01-01,2025-10-31,indexed,EUR,0.01,,,,NO2\n"
        "NO2,bolt,norway,2025-11-01,,indexed,EUR,0,,,,\n"
    ),
    "tariff_bands.csv": (
        "tariff,from_kwh,weekdays,from_hour,to_hour,unit_price\n"
        "tier,1000,,,,0.08\n"
        "night,,Mon-Fri,7,22,0.9\n"
        "night,,1-5,22,7,0.6\n"
        'night,,"6,7",,,0.5\n'
    ),
    "prices.csv": (
        "index,hour_start,currency,price_per_kwh\n"
        "NO2,2025-10-01T00:00+02:00,EUR,0.05\n"
        "NO2,2025-10-01T01:00+02:00,EUR,-0.012\n"
    ),
    "entities.csv": (
        "entity,legal_name,address,vat_number,email\n"
        'ALB,Albacore AS,"Kaigaten 1\n0150 Oslo",NO999888777MVA,billing@albacore.example\n'
    ),
}


def kinds() -> dict[str, str]:
    """The changes that `write` takes for every kind of tariff."""
    return {name.partition(".")[0]: text for name, text in KINDS.items()}


def write(folder: Path, **changed: str | bytes | None) -> Path:
    """Write the files, some of them changed (`customers="…"`) or left out (None)."""
    folder.mkdir(exist_ok=True)
    for name, text in (KINDS | FILES).items():
        content = changed.get(name.partition(".")[0], text if name in FILES else None)
        path = folder / name
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def line(name: str, number: int, old: str, new: str, *, files: Mapping[str, str] = FILES) -> str:
    """A file with one thing changed in one line."""
    lines = files[name].splitlines(keepends=True)
    assert old in lines[number - 1]
    lines[number - 1] = lines[number - 1].replace(old, new, 1)
    return "".join(lines)
