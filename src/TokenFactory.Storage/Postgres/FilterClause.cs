using System.Globalization;
using System.Text;
using Npgsql;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Postgres;

/// <summary>A filter as a WHERE clause. Values travel as parameters only; the text is made of constants.</summary>
internal sealed class FilterClause
{
    private readonly StringBuilder _text = new("true");
    private readonly NpgsqlCommand _command;

    public FilterClause(NpgsqlCommand command, UsageFilter filter)
    {
        _command = command;
        Add("tenant =", filter.Tenant);
        Add("project =", filter.Project);
        Add("key_id =", filter.KeyId);
        Add("user_id =", filter.User);
        Add("model =", filter.Model);
        Add("outcome =", (int?)filter.Outcome);

        // The day says nothing more than the times; it lets the summary index skip the other days.
        Add("day >=", Day(filter.From));
        Add("day <=", Day(filter.Until));
        Add("accepted_at >=", filter.From?.UtcDateTime);
        Add("accepted_at <", filter.Until?.UtcDateTime);
    }

    /// <returns>The parameter's name.</returns>
    public string Parameter(object value)
    {
        _command.Parameters.Add(new NpgsqlParameter { Value = value });
        return string.Create(CultureInfo.InvariantCulture, $"${_command.Parameters.Count}");
    }

    public override string ToString() => _text.ToString();

    private static DateOnly? Day(DateTimeOffset? time) => time is { } known ? DateOnly.FromDateTime(known.UtcDateTime) : null;

    private void Add(string condition, object? value)
    {
        if (value is not null)
        {
            _text.Append(" AND ").Append(condition).Append(' ').Append(Parameter(value));
        }
    }
}
