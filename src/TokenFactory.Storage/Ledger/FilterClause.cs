using System.Data.Common;
using System.Globalization;
using System.Text;

namespace TokenFactory.Storage.Ledger;

/// <summary>A filter's conditions as SQL. Values travel as parameters only; the text is made of constants.</summary>
internal sealed class FilterClause(DbCommand command, StoredValues values, UsageFilter filter)
{
    private string? _names;

    /// <summary>Settlements from one moment to another, or the filter's own.</summary>
    public string Times((DateTimeOffset? From, DateTimeOffset? Until) span)
    {
        var text = new StringBuilder(Names());
        Add(text, "accepted_at >=", span.From is { } from ? values.Of(from) : null);
        Add(text, "accepted_at <", span.Until is { } until ? values.Of(until) : null);
        return text.ToString();
    }

    /// <summary>Daily totals.</summary>
    public string Days((DateOnly? First, DateOnly? End) span)
    {
        var text = new StringBuilder(Names());
        Add(text, "day >=", span.First is { } first ? values.Of(first) : null);
        Add(text, "day <", span.End is { } end ? values.Of(end) : null);
        return text.ToString();
    }

    /// <returns>The parameter's name.</returns>
    public string Parameter(object value)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"${command.Parameters.Count + 1}");
        command.Parameters.Add(values.Parameter(name, value));
        return name;
    }

    private string Names()
    {
        if (_names is null)
        {
            var text = new StringBuilder("true");
            Add(text, "tenant =", filter.Tenant);
            Add(text, "project =", filter.Project);
            Add(text, "key_id =", filter.KeyId);
            Add(text, "user_id =", filter.User);
            Add(text, "model =", filter.Model);
            Add(text, "outcome =", (int?)filter.Outcome);
            _names = text.ToString();
        }

        return _names;
    }

    private void Add(StringBuilder text, string condition, object? value)
    {
        if (value is not null)
        {
            text.Append(" AND ").Append(condition).Append(' ').Append(Parameter(value));
        }
    }
}
