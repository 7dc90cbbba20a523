import { ledgerContract } from "../support/ledger-contract.ts";
import { sqlitePlace } from "../support/ledger-place.ts";
import { tamperingTable } from "../support/ledger-tampering.ts";

ledgerContract(sqlitePlace);
tamperingTable(sqlitePlace);
