using System.Globalization;
using TokenFactory.Administration.Configuration.Reading;
using TokenFactory.Storage.Audit;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Requests;

namespace TokenFactory.Administration.Usage;

/// <summary>What is wrong with a question about usage: the parameter, and what it accepts.</summary>
public sealed record UsageRefusal(string Parameter, string Message);

/// <summary>
/// A question about usage, from a query string or a command line, which both mean the same by the same words. Everything
/// unknown is refused: a mistyped filter that is ignored answers with somebody else's total.
/// </summary>
public sealed class UsageQuestion
{
    public const int MaxLimit = 1000;
    private const int DefaultLimit = 100;

    /// <summary>The state of a request that has no outcome yet.</summary>
    internal const string Running = "running";

    private readonly IReadOnlyDictionary<string, string> _parameters;

    private UsageQuestion(IReadOnlyDictionary<string, string> parameters) => _parameters = parameters;

    public UsageRefusal? Refusal { get; private set; }

    public string? Model { get; private set; }

    public string? KeyId { get; private set; }

    public Outcome? Outcome { get; private set; }

    /// <summary>Whether running or ended requests are asked for, when requests are.</summary>
    public RequestStates States { get; private set; }

    public DateTimeOffset? From { get; private set; }

    public DateTimeOffset? Until { get; private set; }

    public UsageGrouping GroupBy { get; private set; }

    public int Limit { get; private set; } = DefaultLimit;

    public string? After { get; private set; }

    /// <param name="groups">What may be grouped by, which is also the default.</param>
    public static UsageQuestion OfSummary(IReadOnlyDictionary<string, string> parameters, UsageGrouping groups)
    {
        var question = new UsageQuestion(parameters);
        question.ReadShared("from", "until", "group_by", "model", "key");
        question.GroupBy = question.Grouping("group_by", groups);
        return question;
    }

    public static UsageQuestion OfLogs(IReadOnlyDictionary<string, string> parameters)
    {
        var question = new UsageQuestion(parameters);
        question.ReadShared("from", "until", "model", "key", "outcome", "limit", "after");
        question.Outcome = question.OutcomeOf("outcome");
        question.Limit = question.LimitOf("limit");
        question.After = question.Text("after");
        return question;
    }

    /// <summary>Requests in whatever state.</summary>
    public static UsageQuestion OfRequests(IReadOnlyDictionary<string, string> parameters)
    {
        var question = new UsageQuestion(parameters);
        question.ReadShared("from", "until", "model", "key", "state", "limit", "after");
        if (question.Text("state") is Running)
        {
            question.States = RequestStates.Running;
        }
        else
        {
            question.Outcome = question.OutcomeOf("state", Running);
        }

        question.Limit = question.LimitOf("limit");
        question.After = question.Text("after");
        return question;
    }

    /// <summary>A period of the audit trail, by when the requests came.</summary>
    public static UsageQuestion OfAudit(IReadOnlyDictionary<string, string> parameters)
    {
        var question = new UsageQuestion(parameters);
        question.ReadShared("from", "until", "limit", "after");
        question.Limit = question.LimitOf("limit");
        question.After = question.Text("after");
        return question;
    }

    public AuditFilter AuditFilterFor(string? tenant, string? project) => new() { Tenant = tenant, Project = project, From = From, Until = Until };

    public UsageFilter FilterFor(string? tenant, string? project) => new()
    {
        Tenant = tenant,
        Project = project,
        Model = Model,
        KeyId = KeyId,
        Outcome = Outcome,
        From = From,
        Until = Until,
    };

    private void ReadShared(params string[] known)
    {
        foreach (var parameter in _parameters.Keys.Where(parameter => !known.Contains(parameter, StringComparer.Ordinal)))
        {
            Refuse(parameter, $"unknown parameter; accepted: {string.Join(", ", known)}{KeySpelling.Suggest(parameter, known)}");
        }

        Model = Text("model");
        KeyId = Text("key");
        From = Moment("from");
        Until = Moment("until");
        if (From >= Until)
        {
            Refuse("until", "must be later than from");
        }
    }

    private string? Text(string parameter)
    {
        if (_parameters.GetValueOrDefault(parameter) is not { } text)
        {
            return null;
        }

        if (text.Length is 0 or > 256)
        {
            Refuse(parameter, "write 1 to 256 characters, or leave it out");
            return null;
        }

        return text;
    }

    private DateTimeOffset? Moment(string parameter)
    {
        if (Text(parameter) is not { } text)
        {
            return null;
        }

        var moment = Moments.Parse(text);
        if (moment is null)
        {
            Refuse(parameter, Moments.Form);
        }

        return moment;
    }

    private UsageGrouping Grouping(string parameter, UsageGrouping groups)
    {
        var accepted = Enum.GetValues<UsageGrouping>().Where(group => group != UsageGrouping.None && groups.HasFlag(group)).ToArray();
        var names = accepted.Select(group => group.ToString().ToLowerInvariant()).ToArray();
        if (_parameters.GetValueOrDefault(parameter) is not { } text)
        {
            return groups;
        }

        var by = UsageGrouping.None;
        foreach (var word in text.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries))
        {
            var index = Array.IndexOf(names, word);
            if (index < 0)
            {
                Refuse(parameter, $"accepted: any of {string.Join(", ", names)}, separated by commas");
                continue;
            }

            by |= accepted[index];
        }

        return by;
    }

    private Outcome? OutcomeOf(string parameter, params string[] others)
    {
        if (Text(parameter) is not { } text)
        {
            return null;
        }

        foreach (var outcome in Enum.GetValues<Outcome>())
        {
            if (OutcomeName(outcome) == text)
            {
                return outcome;
            }
        }

        Refuse(parameter, $"accepted: {string.Join(", ", others.Concat(Enum.GetValues<Outcome>().Select(OutcomeName)))}");
        return null;
    }

    private int LimitOf(string parameter)
    {
        if (Text(parameter) is not { } text)
        {
            return DefaultLimit;
        }

        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) || limit is < 1 or > MaxLimit)
        {
            Refuse(parameter, string.Create(CultureInfo.InvariantCulture, $"write a whole number from 1 to {MaxLimit}"));
            return DefaultLimit;
        }

        return limit;
    }

    private void Refuse(string parameter, string message) => Refusal ??= new UsageRefusal(parameter, message);

    internal static string OutcomeName(Outcome outcome) => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(outcome.ToString());
}
