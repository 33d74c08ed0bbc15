"""`/health`: whether the service answers, and how far the read store is behind the log."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.problems import document
from api.service import ServiceOf

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """`behind` counts events that are stored and not yet in the reports; `quarantined` the streams left out of them."""

    status: Literal["ok"]
    book: str = Field(examples=["main"])
    head: int = Field(examples=[81_342])
    position: int = Field(examples=[81_342])
    behind: int = Field(examples=[0])
    generation: int = Field(examples=[3])
    quarantined: int = Field(examples=[0])


@router.get("/v1/health", responses=document(421, 503), include_in_schema=False)
@router.get("/health", responses=document(421, 503))
def health(service: ServiceOf) -> Health:
    """The log and the read store answer; else 503."""
    service.store.refresh(service.ledger)
    position = service.store.position()
    head = service.ledger.head().position
    return Health(
        status="ok",
        book=service.ledger.book,
        head=head,
        position=position,
        behind=max(0, head - position),
        generation=service.store.generation,
        quarantined=len(service.store.quarantined()),
    )
