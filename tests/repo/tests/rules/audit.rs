//! What is written into an audit chain stays: one function may add to it, and none may take away.

use serde_json::json;

use crate::report;
use crate::template::{APPLICATION, resources, written};

#[test]
fn one_function_adds_to_the_audit_and_none_changes_or_deletes_there() {
    let template = written(APPLICATION);
    let chains = json!({"Fn::ImportValue": {"Fn::Sub": "${Name}-AuditTableArn"}});
    let mut adding = Vec::new();
    let mut findings = Vec::new();
    for (id, role) in resources(&template, &["AWS::IAM::Role"]) {
        let policies = role["Properties"]["Policies"].as_array().unwrap();
        let statements = policies
            .iter()
            .flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap());
        for statement in statements.filter(|statement| {
            statement["Resource"]
                .to_string()
                .contains("${Name}-AuditTableArn")
        }) {
            if statement["Resource"] != chains {
                findings.push(format!("{id}: name the table of the audit by itself"));
            }
            let actions: Vec<_> = statement["Action"].as_array().unwrap().iter().collect();
            let reads = ["dynamodb:GetItem", "dynamodb:Query"];
            if actions.iter().any(|action| **action == "dynamodb:PutItem") {
                adding.push(id);
            }
            let more = actions.iter().filter(|action| {
                let action = action.as_str().unwrap();
                action != "dynamodb:PutItem" && !reads.contains(&action)
            });
            findings
                .extend(more.map(|action| format!("{id}: {action} could undo what is written")));
        }
    }
    report(&format!("{APPLICATION}, the audit:"), &findings);
    assert_eq!(
        adding,
        ["AuditChainRole"],
        "only the sequencer adds records"
    );
}
