using Microsoft.AspNetCore.Http;

namespace TokenFactory.Inference.Intake;

/// <summary>
/// Reads <see cref="Governance"/> from headers and from <c>metadata</c>. What cannot be understood is refused and not
/// passed over: a restriction that is dropped is a restriction widened.
/// </summary>
internal sealed class GovernanceReader
{
    private const int MaxLength = 128;
    private const int MaxControls = 32;

    private static readonly (string Header, byte[] Member)[] _fields =
    [
        (GatewayHeaders.UseCase, "tf_use_case"u8.ToArray()), (GatewayHeaders.Tier, "tf_tier"u8.ToArray()),
        (GatewayHeaders.Environment, "tf_environment"u8.ToArray()), (GatewayHeaders.UserRole, "tf_user_role"u8.ToArray()),
        (GatewayHeaders.Region, "tf_region"u8.ToArray()), (GatewayHeaders.Classification, "tf_classification"u8.ToArray()),
        (GatewayHeaders.SafetyProfile, "tf_safety_profile"u8.ToArray()), (GatewayHeaders.Controls, "tf_controls"u8.ToArray()),
    ];

    private readonly string?[] _values = new string?[_fields.Length];

    // In the order of the table.
    private enum Field
    {
        UseCase,
        Tier,
        Environment,
        UserRole,
        Region,
        Classification,
        SafetyProfile,
        Controls,
    }

    /// <summary>Which field a member of <c>metadata</c> is; -1 when it is none of ours.</summary>
    public static int FieldOf(ref BodyJson json)
    {
        for (var field = 0; field < _fields.Length; field++)
        {
            if (json.ValueTextEquals(_fields[field].Member))
            {
                return field;
            }
        }

        return -1;
    }

    public static string MemberOf(int field) => "metadata." + System.Text.Encoding.ASCII.GetString(_fields[field].Member);

    public GatewayError? Member(int field, string value)
    {
        var name = MemberOf(field);
        if (_values[field] is not null)
        {
            return GatewayError.InvalidValue(name, $"'{name}' is given more than once. Give it once.");
        }

        return Set(field, name, value);
    }

    /// <param name="members">What <c>metadata</c> says; null when it says nothing.</param>
    public static (Governance? Governance, GatewayError? Error) Read(IHeaderDictionary headers, GovernanceReader? members)
    {
        var reader = members;
        for (var field = 0; field < _fields.Length; field++)
        {
            var header = _fields[field].Header;
            if (!headers.TryGetValue(header, out var values) || values.Count == 0)
            {
                continue;
            }

            reader ??= new GovernanceReader();
            var member = reader._values[field];
            if (values is not [{ } value])
            {
                return (null, GatewayError.InvalidValue(header, $"'{header}' is given more than once. Give it once."));
            }

            if (member is not null && member != value.Trim())
            {
                return (null, GatewayError.ContradictoryGovernance(header, MemberOf(field)));
            }

            if (reader.Set(field, header, value) is { } error)
            {
                return (null, error);
            }
        }

        return reader is null ? (Governance.Undeclared, null) : reader.ToGovernance();
    }

    private GatewayError? Set(int field, string name, string value)
    {
        if (value.Length > MaxLength || string.IsNullOrWhiteSpace(value) || value.Any(char.IsControl))
        {
            return GatewayError.InvalidValue(name, $"'{name}' must be 1 to {MaxLength} characters without control characters.");
        }

        _values[field] = value.Trim();
        return null;
    }

    private string? Of(Field field) => _values[(int)field];

    private (Governance? Governance, GatewayError? Error) ToGovernance()
    {
        var controls = Of(Field.Controls)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];
        if (controls.Length > MaxControls)
        {
            return (null, GatewayError.InvalidValue(GatewayHeaders.Controls, $"'{GatewayHeaders.Controls}' names more than {MaxControls} controls."));
        }

        return (
            new Governance
            {
                UseCase = Of(Field.UseCase),
                Tier = Of(Field.Tier),
                Environment = Of(Field.Environment),
                UserRole = Of(Field.UserRole),
                Region = Of(Field.Region),
                Classification = Of(Field.Classification),
                SafetyProfile = Of(Field.SafetyProfile),
                Controls = controls,
            },
            null);
    }
}
