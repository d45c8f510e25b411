using System.Text;
using Microsoft.Data.Sqlite;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Sqlite;

/// <summary>A filter as a WHERE clause. Values travel as parameters only; the text is made of constants.</summary>
internal sealed class FilterClause
{
    private readonly StringBuilder _text = new("1");
    private readonly SqliteCommand _command;

    public FilterClause(SqliteCommand command, UsageFilter filter)
    {
        _command = command;
        Add("tenant =", "@tenant", filter.Tenant);
        Add("project =", "@project", filter.Project);
        Add("key_id =", "@key", filter.KeyId);
        Add("user_id =", "@user", filter.User);
        Add("model =", "@model", filter.Model);
        Add("outcome =", "@outcome", (int?)filter.Outcome);

        // The day says nothing more than the times; it lets the summary index skip the other days.
        Add("day >=", "@fromDay", Day(filter.From));
        Add("day <=", "@untilDay", Day(filter.Until));
        Add("accepted_at >=", "@from", filter.From is { } from ? Micros.Of(from) : null);
        Add("accepted_at <", "@until", filter.Until is { } until ? Micros.Of(until) : null);
    }

    public override string ToString() => _text.ToString();

    private static int? Day(DateTimeOffset? time) => time is { } known ? DateOnly.FromDateTime(known.UtcDateTime).DayNumber : null;

    private void Add(string condition, string parameter, object? value)
    {
        if (value is not null)
        {
            _text.Append(" AND ").Append(condition).Append(' ').Append(parameter);
            _command.Parameters.AddWithValue(parameter, value);
        }
    }
}
