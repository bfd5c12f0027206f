//! Receipts: the transfers by which an order's goods come in.

use interplant_domain::decimal::Quantity;
use interplant_domain::fact::Day;

use crate::answer::{self, Record, as_html, plain};
use crate::body::{Body, noon};
use crate::client::{Call, Client};
use crate::dialect::model;
use crate::error::{Error, RefusedKind, foreign};
use crate::order::{command_update, is_answer_of_odoo, is_dialogue};

/// Where a transfer, or one of its moves, stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PickingState {
    /// Not confirmed.
    Draft,
    /// Waits for another transfer.
    Waiting,
    /// Waits for stock.
    Confirmed,
    /// Ready, wholly or in part.
    Assigned,
    /// Booked.
    Done,
    /// Cancelled.
    Cancelled,
}

impl PickingState {
    /// Whether it can still be booked.
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            Self::Draft | Self::Waiting | Self::Confirmed | Self::Assigned => true,
            Self::Done | Self::Cancelled => false,
        }
    }

    fn read(record: Record<'_>) -> Result<Self, Error> {
        match record.word("state")? {
            "draft" => Ok(Self::Draft),
            "waiting" => Ok(Self::Waiting),
            "confirmed" => Ok(Self::Confirmed),
            // A move whose quantity was lowered and raised again shows it; nothing comes of it.
            "assigned" | "partially_available" => Ok(Self::Assigned),
            "done" => Ok(Self::Done),
            "cancel" => Ok(Self::Cancelled),
            _ => Err(record.wrong("state", "a state that we know")),
        }
    }
}

/// A transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picking {
    /// Database id.
    pub id: i64,
    /// Odoo's number.
    pub name: String,
    /// Where it stands.
    pub state: PickingState,
    /// Whether goods come in with it.
    pub incoming: bool,
    /// The transfer whose rest it is.
    pub backorder_of: Option<i64>,
    /// What a declaration names to be refused once the transfer is booked or cancelled.
    pub guard: Guard,
    /// Its note as plain text. A backorder inherits the note of the transfer that it comes from.
    pub note: Option<String>,
    /// What it moves.
    pub moves: Vec<Move>,
}

/// Fields of a transfer that Odoo lets nobody write once it is booked or cancelled: named with the values
/// that they have, they make a write safe. Which of them works, the version says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// Its operation type.
    pub operation_type: i64,
    /// When it is planned, as Odoo writes it.
    pub scheduled: String,
}

/// One item of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Database id.
    pub id: i64,
    /// The order line that it serves.
    pub order_line: Option<i64>,
    /// Where it stands.
    pub state: PickingState,
    /// The item.
    pub product: i64,
    /// Whether the item is tracked by lot or serial number; of others Odoo drops the number without a word.
    pub tracked: bool,
    /// Its lines: by lot and by place.
    pub lines: Vec<i64>,
    /// The location that it takes from.
    pub from: i64,
    /// How much is expected, in the unit of the item itself.
    pub demand_in_item_unit: Quantity,
    /// The unit of its quantities; see [`crate::Order::moves_in_other_units`].
    pub unit: i64,
    /// How much is expected.
    pub demand: Quantity,
    /// How much is declared, or booked when it is done.
    pub quantity: Quantity,
    /// Whether the quantity was declared and is not only filled in beforehand.
    pub picked: bool,
}

/// What came in, to be written into a receipt before it is booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// Our marker; it must name the picking, because a backorder inherits it.
    pub reference: String,
    /// The guard of the receipt, as it was last read. A transfer of our own has no receipt of the rest and
    /// needs none: naming its operation type, Odoo 18 and 19 would choose its places anew.
    pub guard: Option<Guard>,
    /// Every open move of the receipt, with what came of it; something must have come of one.
    pub moves: Vec<DeclaredMove>,
}

/// What came of a move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredMove {
    /// The move.
    pub id: i64,
    /// Its own unit, as [`Move::unit`] shows it: the guard of the call.
    pub unit: i64,
    /// Its item.
    pub product: i64,
    /// Its lines, as they were last read: those that give way to the parts.
    pub lines: Vec<i64>,
    /// What came, by lot and by where it is put; nothing leaves the move to the receipt of the rest.
    pub parts: Vec<DeclaredPart>,
}

/// Part of what came of a move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredPart {
    /// How much, in the unit of the move.
    pub quantity: Quantity,
    /// The lot or serial number.
    pub lot: Option<Lot>,
    /// The location that it is put into, when that is not the move's own.
    pub to: Option<i64>,
}

/// A lot or serial number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lot {
    /// One that comes in; Odoo makes it or takes the one of this name.
    Named {
        /// Its name.
        name: String,
        /// Until when it may be used.
        expiry: Option<Day>,
    },
    /// One that Odoo has.
    Known(i64),
}

impl DeclaredMove {
    /// How much came in all.
    #[must_use]
    pub fn quantity(&self) -> Quantity {
        self.parts.iter().map(|part| part.quantity).sum()
    }

    fn values(&self, picking: i64) -> Vec<(&'static str, Body)> {
        let mut values = vec![("product_uom", Body::Int(self.unit))];
        let plain = |part: &DeclaredPart| part.lot.is_none() && part.to.is_none();
        if self.parts.iter().all(plain) {
            values.push(("quantity", Body::decimal(self.quantity().decimal())));
        } else {
            // All lines are replaced: absolute, like the quantity of a move, so a repeat changes nothing.
            // They are deleted by their ids: "remove all" only parts them from the move, and Odoo goes on
            // asking for their lots.
            let old = self
                .lines
                .iter()
                .map(|line| Body::List(vec![Body::Int(2), Body::Int(*line), Body::Int(0)]));
            let parts = self.parts.iter().map(|part| self.line(picking, part));
            values.push(("move_line_ids", Body::List(old.chain(parts).collect())));
        }
        values.push(("picked", Body::Bool(!self.quantity().is_zero())));
        values
    }

    fn line(&self, picking: i64, part: &DeclaredPart) -> Body {
        let mut line = vec![
            ("product_id", Body::Int(self.product)),
            ("product_uom_id", Body::Int(self.unit)),
            ("quantity", Body::decimal(part.quantity.decimal())),
            ("picked", Body::Bool(true)),
            ("picking_id", Body::Int(picking)),
        ];
        match &part.lot {
            None => {}
            Some(Lot::Known(id)) => line.push(("lot_id", Body::Int(*id))),
            Some(Lot::Named { name, expiry }) => {
                line.push(("lot_name", Body::text(name)));
                if let Some(day) = expiry {
                    line.push(("expiration_date", Body::text(noon(*day))));
                }
            }
        }
        if let Some(to) = part.to {
            line.push(("location_dest_id", Body::Int(to)));
        }
        Body::List(vec![Body::Int(0), Body::Int(0), Body::Object(line)])
    }
}

impl Client {
    /// Writes quantities and marker into an open receipt and reads it back, in one guarded call.
    ///
    /// The guard: Odoo refuses a write that names the unit of a move once the move is done, one that names
    /// the quantity once it is cancelled, and one that names certain fields of a transfer that is either,
    /// and keeps nothing of it. All three are needed: a move that was not booked goes to the receipt of the
    /// rest under its own id, and would take a late write. So nobody's booked receipt is changed. Quantities are absolute: a repeat changes nothing.
    ///
    /// # Errors
    /// [`Error::NotOpen`] when the receipt was booked or cancelled meanwhile, [`Error::Refused`] with
    /// [`RefusedKind::Precision`] for a quantity finer than Odoo keeps, and what a call can always meet.
    pub async fn declare_receipt(
        &self,
        picking: i64,
        declaration: &Declaration,
    ) -> Result<Picking, Error> {
        if declaration
            .moves
            .iter()
            .all(|declared| declared.quantity().is_zero())
        {
            return Err(Error::caller(
                "a declaration of nothing would book everything",
            ));
        }
        for declared in &declaration.moves {
            for part in &declared.parts {
                let exact = self.accuracy().check_quantity(part.quantity);
                exact.map_err(|exception| {
                    Error::refused(RefusedKind::Precision, exception.message)
                })?;
            }
        }
        let came = declaration
            .moves
            .iter()
            .map(|declared| command_update(declared.id, declared.values(picking)));
        let guard = declaration.guard.as_ref();
        let mut values: Vec<_> = guard
            .map(|guard| self.version().header_guard(guard))
            .into_iter()
            .collect();
        values.push(("note", Body::text(as_html(&declaration.reference))));
        values.push(("move_ids", Body::List(came.collect())));
        let call = Call::new(model::PICKING, "web_save")
            .on(picking)
            .named("vals", Body::Object(values))
            .named("specification", Body::Object(fields()));
        let answer = match self.call(call).await {
            Ok(answer) => answer,
            Err(error) => return Err(self.unless_closed(picking, error).await),
        };
        let record = answer::only(model::PICKING, &answer)?
            .ok_or_else(|| Error::unexpected("web_save answered no picking"))?;
        read(record)
    }

    /// Books a receipt as declared; a backorder takes the rest. Read the order to see what was booked.
    ///
    /// # Errors
    /// [`Error::NotOpen`] when it is booked or cancelled already (19 answers a second call as if it were
    /// the first), [`Error::WizardAsked`] when Odoo opened a dialogue and booked nothing, and what a call
    /// can always meet.
    pub async fn validate_receipt(&self, picking: i64) -> Result<(), Error> {
        let call = Call::new(model::PICKING, "button_validate")
            .on(picking)
            .context("skip_backorder", Body::Bool(true))
            // They have come, or quality has released them: Odoo is told of it, not asked for leave.
            .context("skip_expired", Body::Bool(true));
        match self.call(call).await {
            Ok(answer) => match is_dialogue(&answer) {
                None => Ok(()),
                // Some dialogues come after the deed (labels to print), most instead of it.
                Some(name) => match self.picking_state(picking).await? {
                    Some(PickingState::Done) => Ok(()),
                    _ => Err(Error::WizardAsked {
                        message: foreign(name),
                    }),
                },
            },
            Err(error) => Err(self.unless_closed(picking, error).await),
        }
    }

    /// The error of a call on a receipt, or that the receipt is closed: the words of the loser of a race
    /// differ from version to version and mislead, so the state decides.
    async fn unless_closed(&self, picking: i64, error: Error) -> Error {
        // Lines that were replaced meanwhile are gone: whoever declares looks again then.
        let gone = matches!(
            &error,
            Error::Refused {
                kind: RefusedKind::RecordMissing,
                ..
            }
        );
        if !gone && !is_answer_of_odoo(&error) {
            return error;
        }
        match self.picking_state(picking).await {
            Ok(Some(PickingState::Done | PickingState::Cancelled)) => Error::NotOpen {
                message: error.to_string(),
            },
            Ok(Some(_)) if gone => Error::NotOpen {
                message: error.to_string(),
            },
            Ok(_) => error,
            Err(unread) => unread,
        }
    }

    /// Cancels a receipt by which nothing more comes. Repeating it is harmless.
    ///
    /// # Errors
    /// [`Error::NotOpen`] when it was booked meanwhile, and what a call can always meet.
    pub async fn cancel_receipt(&self, picking: i64) -> Result<(), Error> {
        let Err(error) = self
            .call(Call::new(model::PICKING, "action_cancel").on(picking))
            .await
        else {
            return Ok(());
        };
        if !is_answer_of_odoo(&error) {
            return Err(error);
        }
        match self.picking_state(picking).await? {
            Some(PickingState::Cancelled) => Ok(()),
            Some(PickingState::Done) => Err(Error::NotOpen {
                message: error.to_string(),
            }),
            Some(_) | None => Err(error),
        }
    }

    async fn picking_state(&self, picking: i64) -> Result<Option<PickingState>, Error> {
        let call = Call::new(model::PICKING, "web_read")
            .on(picking)
            .named("specification", Body::Object(Body::fields(&["state"])));
        let answer = self.call(call).await?;
        answer::only(model::PICKING, &answer)?
            .map(PickingState::read)
            .transpose()
    }
}

/// What is read of a transfer, here and inside of an order.
pub(crate) fn fields() -> Vec<(&'static str, Body)> {
    let mut fields = Body::fields(&[
        "name",
        "state",
        "picking_type_code",
        "picking_type_id",
        "scheduled_date",
        "backorder_id",
        "note",
    ]);
    let moves = Body::fields(&[
        "purchase_line_id",
        "state",
        "product_id",
        "has_tracking",
        "move_line_ids",
        "location_id",
        "product_qty",
        "product_uom",
        "product_uom_qty",
        "quantity",
        "picked",
    ]);
    fields.push(("move_ids", Body::nested(moves)));
    fields
}

pub(crate) fn read(picking: Record<'_>) -> Result<Picking, Error> {
    Ok(Picking {
        id: picking.id()?,
        name: picking.text("name")?.unwrap_or_default().to_owned(),
        state: PickingState::read(picking)?,
        incoming: picking.text("picking_type_code")? == Some("incoming"),
        backorder_of: picking.link("backorder_id")?,
        guard: Guard {
            operation_type: picking.linked("picking_type_id")?,
            scheduled: picking
                .text("scheduled_date")?
                .unwrap_or_default()
                .to_owned(),
        },
        note: picking
            .text("note")?
            .map(plain)
            .filter(|note| !note.is_empty()),
        moves: picking
            .records("move_ids", model::MOVE)?
            .map(read_move)
            .collect::<Result<_, _>>()?,
    })
}

fn read_move(of: Record<'_>) -> Result<Move, Error> {
    Ok(Move {
        id: of.id()?,
        order_line: of.link("purchase_line_id")?,
        state: PickingState::read(of)?,
        product: of.linked("product_id")?,
        tracked: of.text("has_tracking")? != Some("none"),
        lines: of.links("move_line_ids")?,
        from: of.linked("location_id")?,
        demand_in_item_unit: Quantity::from_decimal(of.decimal("product_qty")?),
        unit: of.linked("product_uom")?,
        demand: Quantity::from_decimal(of.decimal("product_uom_qty")?),
        quantity: Quantity::from_decimal(of.decimal("quantity")?),
        picked: of.flag("picked")?,
    })
}
