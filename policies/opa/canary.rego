# The rules of policies/default/rules.cedar for an Open Policy Agent: `opa run --server policies/opa`. The harness sends
# the same facts as `input` (policies/facts.cedarschema); a set comes as a list.
package canary

default decision := {"allow": false, "reasons": [], "permittedBy": []}

decision := {
	"allow": allow,
	"reasons": [refusal | some refusal in refusals],
	"permittedBy": [id | some id in permissions; allow],
}

default allow := false

allow if {
	complete
	count(refusals) == 0
	count(permissions) > 0
}

plan := input.context.plan

needs := input.context.needs

found := input.context.found

given := input.context.given

promote if input.action == "promote"

permissions contains "rehearsal" if {
	input.action == "rehearse"
	plan.tier < 4
}

permissions contains "promotion" if {
	promote
	plan.tier < 4
}

# A fact that is missing makes a condition undefined, and a refusal that is undefined refuses nothing. So nothing is
# allowed unless every fact that a condition looks at is there and of its type.
complete if {
	every fact in [plan.tier, plan.actions, found.agentTierMax, needs.actionsMax] {
		is_number(fact)
	}
	every fact in [found.agentListed, found.agentEnvironment, found.agentNamespace, found.modelListed, found.modelPinned, found.promptKnown, needs.undo, needs.dryRun] {
		is_boolean(fact)
	}
	every fact in [found.withheld, found.destructive, found.foreignHosts, found.forbiddenTags, found.unexplained, found.leftUndone, found.untried] {
		is_array(fact)
	}
	complete_given
}

complete_given if input.action == "rehearse"

complete_given if {
	promote
	every fact in [needs.approvals, needs.strongApprovals, needs.promotionsMax, given.approvals, given.strongApprovals, given.recentPromotions] {
		is_number(fact)
	}
	every fact in [needs.verdict, needs.rollback, needs.snapshot, needs.window, given.onlyHumanNeeded, given.dryRun, given.rollback, given.snapshot] {
		is_boolean(fact)
	}
	every fact in [given.openWindows, given.closedWindows, given.freezes] {
		is_array(fact)
	}
	is_string(given.verdict)
}

refusals contains reason("never-unattended", sprintf("tier 4 is executed by a human: %s", [words(found.destructive)]), "let a human execute it") if {
	plan.tier >= 4
}

refusals contains reason("agent-not-allowed", sprintf("the agent %s is not allowed", [input.principal.id]), "list it under agents") if {
	not found.agentListed
}

refusals contains reason("agent-above-its-tier", sprintf("the plan is of tier %d, its agent may go up to %d", [plan.tier, found.agentTierMax]), "keep the plan within the tier") if {
	plan.tier > found.agentTierMax
}

refusals contains reason("agent-outside-its-environments", sprintf("%s may not act in %s", [input.principal.id, input.resource.id]), "add the environment to the agent") if {
	not found.agentEnvironment
}

refusals contains reason("agent-outside-its-namespaces", sprintf("%s may not act in this namespace", [input.principal.id]), "add the namespace to the agent") if {
	not found.agentNamespace
}

refusals contains reason("model-not-pinned", "the model version is a moving name", "name an exact version") if {
	not found.modelPinned
}

refusals contains reason("model-not-allowed", "the model version is not listed", "list it with its lineage") if {
	not found.modelListed
}

refusals contains reason("prompt-not-allowed", "the prompt package is not listed for this model version", "list its SHA-256") if {
	not found.promptKnown
}

refusals contains reason("too-many-actions", sprintf("the plan has %d actions, %d are allowed", [plan.actions, needs.actionsMax]), "split the plan") if {
	plan.actions > needs.actionsMax
}

refusals contains reason("withheld", sprintf("no agent may do this: %s", [words(found.withheld)]), "take it out of the plan") if {
	count(found.withheld) > 0
}

refusals contains reason("host-not-allowed", sprintf("hosts that are not allowed: %s", [words(found.foreignHosts)]), "add them to hosts") if {
	count(found.foreignHosts) > 0
}

refusals contains reason("resource-off-limits", sprintf("off limits: %s", [words(found.forbiddenTags)]), "narrow changes") if {
	count(found.forbiddenTags) > 0
}

refusals contains reason("not-explained", sprintf("say what and why: %s", [words(found.unexplained)]), "write it out") if {
	count(found.unexplained) > 0
}

refusals contains reason("left-undone", sprintf("must be rolled back: %s", [words(found.leftUndone)]), "take stop out") if {
	needs.undo
	count(found.leftUndone) > 0
}

refusals contains reason("dry-run-impossible", sprintf("can not be tried first: %s", [words(found.untried)]), "use a step that can be tried") if {
	needs.dryRun
	count(found.untried) > 0
}

refusals contains reason("verdict-missing", sprintf("the rehearsal's answer is %s", [given.verdict]), "rehearse until it is promoted") if {
	promote
	needs.verdict
	given.verdict != "promote"
	not agreed_hold
}

agreed_hold if {
	given.verdict == "hold"
	given.onlyHumanNeeded
	given.approvals >= 1
	given.approvals >= needs.approvals
}

refusals contains reason("dry-run-missing", "no dry run is shown", "rehearse again") if {
	promote
	needs.dryRun
	not given.dryRun
}

refusals contains reason("rollback-not-proven", "no proven rollback is shown", "rehearse again") if {
	promote
	needs.rollback
	not given.rollback
}

refusals contains reason("snapshot-not-verified", "no verified snapshot is shown", "rehearse again") if {
	promote
	needs.snapshot
	not given.snapshot
}

refusals contains reason("approvals-missing", sprintf("%d of %d people have approved", [given.approvals, needs.approvals]), "canary approve <plan digest>") if {
	promote
	given.approvals < needs.approvals
}

refusals contains reason("strong-approvals-missing", sprintf("%d of %d strong approvals", [given.strongApprovals, needs.strongApprovals]), "approve with a personal key or a passkey") if {
	promote
	given.strongApprovals < needs.strongApprovals
}

refusals contains reason("outside-window", sprintf("no maintenance window is open: %s", [words(given.closedWindows)]), "wait for one") if {
	promote
	needs.window
	count(given.openWindows) == 0
}

refusals contains reason("change-freeze", sprintf("changes are frozen: %s", [words(given.freezes)]), "wait for its end") if {
	promote
	needs.window
	count(given.freezes) > 0
}

refusals contains reason("too-many-promotions", sprintf("%d promotions lately, %d are allowed", [given.recentPromotions, needs.promotionsMax]), "wait") if {
	promote
	given.recentPromotions >= needs.promotionsMax
}

reason(rule, message, remedy) := {"rule": rule, "message": message, "remedy": remedy}

words(list) := concat("; ", list)
