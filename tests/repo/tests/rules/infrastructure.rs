//! The gate of the templates: least rights, limits, nothing lost, nothing kept for ever.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::report;
use crate::repository::{files_in, read};
use crate::template::{APPLICATION, STATE, arn_of, resources, translated, written};

const WILDCARDS: &str = "infra/wildcards.yaml";

/// A `*` that has a reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wildcard {
    sid: String,
    actions: Vec<String>,
    resource: String,
    reason: String,
}

/// A statement of a role, or a permission of a function, which is named by its logical id.
struct Statement<'t> {
    place: String,
    sid: &'t str,
    actions: Vec<&'t str>,
    resources: Vec<String>,
}

fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => vec![value],
    }
}

/// A resource as the template writes it.
fn spelled(resource: &Value) -> String {
    let text = [resource, &resource["Fn::Sub"], &resource["Fn::Sub"][0]]
        .into_iter()
        .find_map(Value::as_str);
    text.map_or_else(|| resource.to_string(), str::to_owned)
}

fn statements(template: &Value) -> Vec<Statement<'_>> {
    let mut found = Vec::new();
    for (id, role) in resources(template, &["AWS::IAM::Role"]) {
        for statement in list(&role["Properties"]["Policies"])
            .into_iter()
            .flat_map(|policy| list(&policy["PolicyDocument"]["Statement"]))
        {
            let sid = statement["Sid"].as_str().unwrap_or_default();
            found.push(Statement {
                place: format!("{id}, {sid}"),
                sid,
                actions: list(&statement["Action"])
                    .into_iter()
                    .filter_map(Value::as_str)
                    .collect(),
                resources: list(&statement["Resource"])
                    .into_iter()
                    .map(spelled)
                    .collect(),
            });
        }
    }
    for (id, permission) in resources(template, &["AWS::Lambda::Permission"]) {
        found.push(Statement {
            place: id.to_owned(),
            sid: id,
            actions: list(&permission["Properties"]["Action"])
                .into_iter()
                .filter_map(Value::as_str)
                .collect(),
            resources: list(&permission["Properties"]["SourceArn"])
                .into_iter()
                .map(spelled)
                .collect(),
        });
    }
    found
}

/// The state template's resource that an `!ImportValue` of an ARN stands for.
fn imported<'s>(value: &Value, state: &'s Value) -> Option<&'s str> {
    let name = &value["Fn::ImportValue"];
    let output = state["Outputs"]
        .as_object()?
        .values()
        .find(|output| output["Export"]["Name"] == *name)?;
    arn_of(&output["Value"])
}

#[test]
fn every_function_has_a_role_of_its_own() {
    let template = translated();
    let mut owners: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (id, resource) in resources(template, &[]) {
        let properties = &resource["Properties"];
        let role = match resource["Type"].as_str().unwrap() {
            "AWS::Lambda::Function" => &properties["Role"],
            "AWS::StepFunctions::StateMachine" => &properties["RoleArn"],
            "AWS::Scheduler::Schedule" => &properties["Target"]["RoleArn"],
            _ => continue,
        };
        owners
            .entry(arn_of(role).unwrap_or_default().to_owned())
            .or_default()
            .push(id);
    }
    let template_as_written = written(APPLICATION);
    let roles = resources(template, &["AWS::IAM::Role"]);
    let ours = resources(&template_as_written, &["AWS::IAM::Role"]);
    let mut findings = Vec::new();
    for (role, owners) in &owners {
        if !roles.contains_key(role.as_str()) {
            findings.push(format!(
                "{owners:?}: the role `{role}` is not in the template"
            ));
        } else if owners.len() > 1 {
            findings.push(format!("{role} is shared by {owners:?}: give each its own"));
        }
    }
    findings.extend(
        roles
            .keys()
            .filter(|role| !ours.contains_key(*role))
            .map(|role| format!("{role} is made up by SAM: write it out")),
    );
    findings.extend(
        roles
            .keys()
            .filter(|role| !owners.contains_key(**role))
            .map(|role| format!("{role} belongs to nobody")),
    );
    report(&format!("{APPLICATION}, roles:"), &findings);
}

#[test]
fn every_right_is_spelled_out() {
    let template = translated();
    let mut findings = Vec::new();
    for (id, role) in resources(template, &["AWS::IAM::Role"]) {
        let properties = &role["Properties"];
        if properties.get("ManagedPolicyArns").is_some() {
            findings.push(format!(
                "{id}: managed policies change without us; write out what is needed"
            ));
        }
        let trusted = list(&properties["AssumeRolePolicyDocument"]["Statement"]);
        if trusted.iter().any(|statement| {
            statement["Principal"]["Service"]
                .as_str()
                .is_none_or(|service| service.contains('*'))
        }) {
            findings.push(format!("{id}: exactly one service may take the role"));
        }
        for statement in list(&properties["Policies"])
            .into_iter()
            .flat_map(|policy| list(&policy["PolicyDocument"]["Statement"]))
        {
            let place = format!("{id}, {}", statement["Sid"]);
            let fields = ["Sid", "Effect", "Action", "Resource", "Condition"];
            let unknown = statement
                .as_object()
                .unwrap()
                .keys()
                .filter(|field| !fields.contains(&field.as_str()));
            findings.extend(unknown.map(|field| {
                format!("{place}: `{field}` says what is not meant; write Action and Resource")
            }));
            if statement["Sid"].as_str().is_none_or(str::is_empty) || statement["Effect"] != "Allow"
            {
                findings.push(format!("{place}: a statement has a Sid, and Effect Allow"));
            }
        }
    }
    for statement in statements(template) {
        if statement.actions.is_empty()
            || statement
                .actions
                .iter()
                .any(|action| action.contains('*') || !action.contains(':'))
        {
            findings.push(format!(
                "{}: name the actions one by one, not {:?}",
                statement.place, statement.actions
            ));
        }
        if statement.resources.is_empty() {
            findings.push(format!("{}: names no resource", statement.place));
        }
    }
    report(&format!("{APPLICATION}, rights:"), &findings);
}

#[test]
fn every_star_in_a_resource_has_its_reason_and_every_reason_its_star() {
    let wildcards: Vec<Wildcard> = serde_saphyr::from_str(&read(WILDCARDS)).unwrap();
    let (application, state) = (translated(), written(STATE));
    let mut used = BTreeSet::new();
    let mut sids = BTreeSet::new();
    let mut findings = Vec::new();
    for statement in statements(application)
        .into_iter()
        .chain(statements(&state))
    {
        for resource in statement
            .resources
            .iter()
            .filter(|resource| resource.contains('*'))
        {
            match wildcards
                .iter()
                .find(|wildcard| wildcard.sid == statement.sid)
            {
                Some(wildcard)
                    if wildcard.actions == statement.actions
                        && wildcard.resource == *resource
                        && statement.resources.len() == 1 =>
                {
                    used.insert(&wildcard.sid);
                }
                Some(_) => findings.push(format!(
                    "{}: actions and resource differ from its entry in {WILDCARDS}",
                    statement.place
                )),
                None => findings.push(format!(
                    "{}: `{resource}`; name the resource, or give the reason in {WILDCARDS}",
                    statement.place
                )),
            }
        }
    }
    for wildcard in &wildcards {
        if !sids.insert(&wildcard.sid) {
            findings.push(format!("{WILDCARDS}: {} is listed twice", wildcard.sid));
        }
        if !used.contains(&wildcard.sid) {
            findings.push(format!(
                "{WILDCARDS}: {} is in no template any more, remove it",
                wildcard.sid
            ));
        }
        if wildcard.reason.trim().is_empty() {
            findings.push(format!("{WILDCARDS}: {} has no reason", wildcard.sid));
        }
    }
    report("rights that are wider than they have to be:", &findings);
}

#[test]
fn every_function_has_a_limit_a_share_of_the_account_a_trace_and_a_log() {
    let template = translated();
    let logs = resources(template, &["AWS::Logs::LogGroup"]);
    let mut findings = Vec::new();
    for (id, function) in resources(template, &["AWS::Lambda::Function"]) {
        let properties = &function["Properties"];
        if properties["Timeout"].as_u64().is_none() {
            findings.push(format!(
                "{id}: Timeout is missing, AWS would take 3 seconds"
            ));
        }
        if properties.get("ReservedConcurrentExecutions").is_none() {
            findings.push(format!("{id}: ReservedConcurrentExecutions is missing, one function could take the whole account"));
        }
        if properties["TracingConfig"]["Mode"] != "Active" {
            findings.push(format!("{id}: `Tracing: Active` is missing"));
        }
        if !properties["LoggingConfig"]["LogGroup"]["Ref"]
            .as_str()
            .is_some_and(|log| logs.contains_key(log))
        {
            findings.push(format!("{id}: LoggingConfig names no log group of this template, AWS would make one that keeps for ever"));
        }
    }
    report(&format!("{APPLICATION}, functions:"), &findings);
}

#[test]
fn the_api_answers_before_the_gateway_does() {
    let template = translated();
    let mut findings = Vec::new();
    for (id, integration) in resources(template, &["AWS::ApiGatewayV2::Integration"]) {
        let function = arn_of(&integration["Properties"]["IntegrationUri"]).unwrap_or_default();
        let seconds = template["Resources"][function]["Properties"]["Timeout"].as_u64();
        let limit = integration["Properties"]["TimeoutInMillis"]
            .as_u64()
            .unwrap_or_default()
            / 1000;
        if seconds.is_none_or(|seconds| seconds >= limit) {
            findings.push(format!(
                "{id}: the Timeout of {function} is not below TimeoutInMillis, {limit} s"
            ));
        }
    }
    report(
        "the caller would get the gateway's answer instead of ours:",
        &findings,
    );
}

#[test]
fn a_message_stays_invisible_six_times_as_long_as_its_consumer_may_take() {
    let (template, state) = (translated(), written(STATE));
    let sources = resources(template, &["AWS::Lambda::EventSourceMapping"]);
    assert!(!sources.is_empty(), "{APPLICATION} has no event sources");
    let mut findings = Vec::new();
    for (id, source) in sources {
        let function = source["Properties"]["FunctionName"]["Ref"]
            .as_str()
            .unwrap_or_default();
        let Some(queue) = imported(&source["Properties"]["EventSourceArn"], &state) else {
            findings.push(format!("{id}: its queue is not an export of {STATE}"));
            continue;
        };
        let timeout = template["Resources"][function]["Properties"]["Timeout"]
            .as_u64()
            .unwrap_or(3);
        let visibility = state["Resources"][queue]["Properties"]["VisibilityTimeout"]
            .as_u64()
            .unwrap_or(30);
        if visibility < 6 * timeout {
            findings.push(format!("{queue}: VisibilityTimeout {visibility} is less than 6 x {timeout}, the Timeout of {function}"));
        }
        let batch = source["Properties"]["BatchSize"].as_u64().unwrap_or(10);
        if batch > 1
            && source["Properties"]["FunctionResponseTypes"] != json!(["ReportBatchItemFailures"])
        {
            findings.push(format!("{id}: one failed message would bring the others of its batch back; add ReportBatchItemFailures"));
        }
    }
    report("messages would be worked on twice:", &findings);
}

#[test]
fn every_table_and_bucket_is_encrypted_and_can_be_brought_back() {
    let template = written(STATE);
    let mut findings = Vec::new();
    for (id, table) in resources(&template, &["AWS::DynamoDB::Table"]) {
        let properties = &table["Properties"];
        if properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] != true {
            findings.push(format!("{id}: PointInTimeRecoveryEnabled is not true"));
        }
        if properties["SSESpecification"]["SSEEnabled"] != true {
            findings.push(format!("{id}: SSEEnabled is not true"));
        }
        if properties.get("DeletionProtectionEnabled").is_none() {
            findings.push(format!("{id}: DeletionProtectionEnabled is missing"));
        }
    }
    for (id, bucket) in resources(&template, &["AWS::S3::Bucket"]) {
        let properties = &bucket["Properties"];
        if properties["VersioningConfiguration"]["Status"] != "Enabled" {
            findings.push(format!("{id}: its versions are not kept"));
        }
        if properties.get("BucketEncryption").is_none() {
            findings.push(format!("{id}: BucketEncryption is missing"));
        }
        let public = &properties["PublicAccessBlockConfiguration"];
        for setting in [
            "BlockPublicAcls",
            "BlockPublicPolicy",
            "IgnorePublicAcls",
            "RestrictPublicBuckets",
        ] {
            if public[setting] != true {
                findings.push(format!("{id}: {setting} is not true"));
            }
        }
    }
    for (id, resource) in resources(&template, &[]) {
        if resource["DeletionPolicy"] != "Retain" || resource["UpdateReplacePolicy"] != "Retain" {
            findings.push(format!(
                "{id}: DeletionPolicy and UpdateReplacePolicy must be Retain"
            ));
        }
    }
    report(&format!("{STATE}, what must survive:"), &findings);
}

#[test]
fn state_lies_in_the_state_template_alone() {
    let holds = [
        "AWS::DynamoDB::Table",
        "AWS::DynamoDB::GlobalTable",
        "AWS::S3::Bucket",
        "AWS::SQS::Queue",
        // Without it the bucket could not tell of a file while the application stack is away.
        "AWS::SQS::QueuePolicy",
        "AWS::SecretsManager::Secret",
        "AWS::KMS::Key",
    ];
    let (application, state) = (translated(), written(STATE));
    let mut findings: Vec<_> = resources(application, &holds)
        .into_keys()
        .map(|id| format!("{id} belongs into {STATE}"))
        .collect();
    let kinds = resources(&state, &[])
        .into_iter()
        .filter(|(_, resource)| !holds.contains(&resource["Type"].as_str().unwrap()));
    findings
        .extend(kinds.map(|(id, _)| format!("{id} holds no state and belongs into {APPLICATION}")));
    report(
        "the application stack can be deleted without touching a fact:",
        &findings,
    );
}

#[test]
fn every_log_has_an_end() {
    let mut findings = Vec::new();
    let template = translated();
    for (id, log) in resources(template, &["AWS::Logs::LogGroup"]) {
        if log["Properties"].get("RetentionInDays").is_none() {
            findings.push(format!(
                "{id}: RetentionInDays is missing, it would keep for ever"
            ));
        }
    }
    for (id, stage) in resources(template, &["AWS::ApiGatewayV2::Stage"]) {
        if arn_of(&stage["Properties"]["AccessLogSettings"]["DestinationArn"]).is_none() {
            findings.push(format!(
                "{id}: AccessLogSettings name no log group of this template"
            ));
        }
    }
    for (id, machine) in resources(template, &["AWS::StepFunctions::StateMachine"]) {
        let logging = &machine["Properties"]["LoggingConfiguration"];
        if arn_of(&logging["Destinations"][0]["CloudWatchLogsLogGroup"]["LogGroupArn"]).is_none()
            || logging["IncludeExecutionData"] != false
        {
            findings.push(format!(
                "{id}: Logging needs a log group of this template and `IncludeExecutionData: false`"
            ));
        }
    }
    report(&format!("{APPLICATION}, logs:"), &findings);
}

#[test]
fn every_queue_has_dead_letters_that_somebody_hears_of() {
    let (state, application) = (written(STATE), written(APPLICATION));
    let queues = resources(&state, &["AWS::SQS::Queue"]);
    let redrive = |queue: &Value| {
        arn_of(&queue["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]).map(str::to_owned)
    };
    let dead: BTreeSet<_> = queues.values().filter_map(|queue| redrive(queue)).collect();
    let alarms: Vec<_> = resources(&application, &["AWS::CloudWatch::Alarm"])
        .into_values()
        .map(ToString::to_string)
        .collect();
    let mut findings = Vec::new();
    for (id, queue) in &queues {
        let seconds = queue["Properties"]["MessageRetentionPeriod"]
            .as_u64()
            .unwrap_or(345_600);
        if queue["Properties"]["SqsManagedSseEnabled"] != true {
            findings.push(format!("{id}: SqsManagedSseEnabled is not true"));
        }
        if dead.contains(*id) {
            if seconds != 1_209_600 {
                findings.push(format!(
                    "{id}: dead letters are kept as long as SQS can, 1209600 seconds"
                ));
            }
            if !alarms
                .iter()
                .any(|alarm| alarm.contains(&format!("-{id}Name")))
            {
                findings.push(format!("{id}: no alarm of {APPLICATION} looks at it"));
            }
        } else if redrive(queue).is_none_or(|target| !queues.contains_key(target.as_str())) {
            findings.push(format!(
                "{id}: RedrivePolicy with a dead-letter queue of this template is missing"
            ));
        } else if queue["Properties"]["RedrivePolicy"]["maxReceiveCount"]
            .as_u64()
            .is_none_or(|count| count < 5)
        {
            findings.push(format!(
                "{id}: maxReceiveCount below 5 gives up before a short outage is over"
            ));
        }
    }
    report("queues:", &findings);
}

#[test]
fn the_templates_use_nothing_that_the_local_cloud_cannot_do() {
    let forbidden = [
        (
            "AWS::Serverless::HttpApi",
            "its routes stay empty: write Api, Integration, Route and Stage of AWS::ApiGatewayV2",
        ),
        (
            "AWS::Serverless::Api",
            "write Api, Integration, Route and Stage of AWS::ApiGatewayV2",
        ),
        (
            "AWS::Serverless::Application",
            "nested stacks cannot be updated: keep templates flat",
        ),
        (
            "AWS::CloudFormation::Stack",
            "nested stacks cannot be updated: keep templates flat",
        ),
    ];
    let template = written(APPLICATION);
    let mut findings = Vec::new();
    for (kind, why) in forbidden {
        findings.extend(
            resources(&template, &[kind])
                .into_keys()
                .map(|id| format!("{id}: {kind}; {why}")),
        );
    }
    for (id, function) in resources(&template, &["AWS::Serverless::Function"]) {
        let events = function["Properties"]["Events"]
            .as_object()
            .into_iter()
            .flatten();
        let implied = events.filter(|(_, event)| {
            ["Api", "HttpApi"].contains(&event["Type"].as_str().unwrap_or_default())
        });
        findings.extend(
            implied.map(|(name, _)| format!("{id}, event {name}: SAM would make an API of its own; write an AWS::ApiGatewayV2::Route")),
        );
    }
    let integrations = resources(&template, &["AWS::ApiGatewayV2::Integration"]);
    for (id, route) in resources(&template, &["AWS::ApiGatewayV2::Route"]) {
        let target = spelled(&route["Properties"]["Target"]);
        let integration = target
            .strip_prefix("integrations/${")
            .and_then(|rest| rest.strip_suffix('}'));
        if integration.is_none_or(|integration| !integrations.contains_key(integration)) {
            findings.push(format!(
                "{id}: Target `{target}` is no integration of this template"
            ));
        }
    }
    if resources(&template, &["AWS::ApiGatewayV2::Api"]).len() != 1 {
        findings.push("there must be one AWS::ApiGatewayV2::Api".to_owned());
    }
    report(&format!("{APPLICATION}:"), &findings);
}

#[test]
fn the_application_imports_what_the_state_stack_exports() {
    let (state, application) = (written(STATE), written(APPLICATION));
    let outputs = state["Outputs"].as_object().unwrap();
    let exported: BTreeSet<_> = outputs
        .values()
        .filter_map(|output| output["Export"]["Name"]["Fn::Sub"].as_str())
        .map(str::to_owned)
        .collect();
    let mut imported = BTreeSet::new();
    imports(&application, &mut imported);
    let mut findings: Vec<_> = imported
        .difference(&exported)
        .map(|name| format!("{name} is imported but not exported"))
        .collect();
    findings.extend(
        exported
            .difference(&imported)
            .map(|name| format!("{name} is exported but not imported")),
    );
    report(&format!("{STATE} and {APPLICATION} differ:"), &findings);
}

fn imports(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| imports(item, found)),
        Value::Object(members) => {
            if let Some(name) = members.get("Fn::ImportValue") {
                found.insert(spelled(name));
            }
            members.values().for_each(|member| imports(member, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn no_secret_stands_in_an_environment_or_a_template() {
    let mut findings = Vec::new();
    for (id, function) in resources(translated(), &["AWS::Lambda::Function"]) {
        let variables = function["Properties"]["Environment"]["Variables"]
            .as_object()
            .into_iter()
            .flatten();
        let secret = |name: &str| {
            ["KEY", "PASSWORD", "SECRET", "TOKEN"]
                .iter()
                .any(|word| name.split('_').any(|part| part == *word))
        };
        let named =
            variables.filter(|(name, _)| secret(name) && *name != "INTERPLANT_SECRET_PREFIX");
        findings.extend(named.map(|(name, _)| {
            format!("{id}: the variable {name}; name the secret and read it at run time")
        }));
    }
    for path in files_in("infra/", ".yaml") {
        if read(&path).contains("{{resolve:") {
            findings.push(format!("{path}: a dynamic reference puts a secret's value into a resource; read it at run time"));
        }
    }
    report("secrets:", &findings);
}
