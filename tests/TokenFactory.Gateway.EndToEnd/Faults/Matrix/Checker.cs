using TokenFactory.Storage.Ledger;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Faults.Matrix;

/// <summary>
/// Compares, request by request, what the clients were told, what was admitted, settled, put out and delivered, what the backend
/// saw and where the limits stand. Every breach is listed, not only the first.
/// </summary>
internal sealed class Checker(FaultSite site, Book book, IReadOnlyList<Sent> sent, Allowances allowed)
{
    private readonly List<string> _breaches = [];
    private readonly LedgerBooks _books = new(site, book);

    /// <summary>Waits until nothing moves any more: everything settled, delivered, and told to Redis.</summary>
    public async Task QuiesceAsync()
    {
        await UntilAsync(async () => (await _books.OpenAsync()).Count == 0, async () => $"open: {string.Join(", ", await _books.OpenAsync())}");
        await UntilAsync(
            async () => (await _books.EventsAsync()).Select(one => one.Id).Except(await _books.DeadLettersAsync()).All(site.Receiver.Taken.ToHashSet().Contains),
            () => Task.FromResult("some events were not delivered"));
        var admitted = await _books.AdmissionsAsync();
        if (!allowed.LimitsForget)
        {
            await UntilAsync(
                async () => (await HeldAsync()).All(allowed.MayStayHeld),
                async () => $"still held in Redis: {string.Join(", ", (await HeldAsync()).Where(id => !allowed.MayStayHeld(id)).Select(id => $"{id} ({(admitted.Contains(id) ? "admitted" : "not admitted")})"))}");
        }
    }

    public async Task<Tally> CheckAsync()
    {
        var admissions = await _books.AdmissionsAsync();
        var settlements = await _books.SettlementsAsync();
        var events = await _books.EventsAsync();
        var dead = await _books.DeadLettersAsync();
        var settled = settlements.DistinctBy(one => one.Id).ToDictionary(one => one.Id);
        var adjustments = events.Where(one => one.Adjusts is not null).ToLookup(one => one.RequestId);
        var backend = site.Upstream.Requests.Where(one => one.RequestId is not null).ToLookup(one => Guid.Parse(one.RequestId!));

        // What billing has of a request in the end.
        TokenUsage Net(Guid id) => adjustments[id].Aggregate(settled[id].Tokens, (sum, one) => Sum(sum, one.Tokens));

        var whole = sent.Where(one => one.Call.Whole).ToList();
        var lost = Breach("served whole and not settled", whole.Select(one => one.Call.Id!.Value).Where(id => !settled.ContainsKey(id)))
            + Breach("answered and not admitted", sent.Where(one => one.Call.Status == 200).Select(one => one.Call.Id!.Value).Except(admissions))
            + Breach("admitted and not settled", admissions.Except(settled.Keys))
            + Breach("settled without an event", settled.Keys.Except(events.Where(one => one.Adjusts is null).Select(one => one.Id)))
            + Breach("put out and not delivered", events.Select(one => one.Id).Except(site.Receiver.Taken).Except(dead));
        var doubled = Breach("admitted twice", Twice(admissions))
            + Breach("settled twice", Twice(settlements.Select(one => one.Id)))
            + Breach("put out twice", Twice(events.Select(one => one.Id)))
            + Breach("adjusted twice", adjustments.Where(one => one.Count() > 1).Select(one => one.Key))
            + Breach("asked of the backend twice", settled.Keys.Where(id => backend[id].Count() > 1));
        Breach("settled without an admission", settled.Keys.Except(admissions));
        Breach("events that are nobody's", events.Where(one => one.Adjusts is null && !settled.ContainsKey(one.Id)).Select(one => one.Id));
        Breach("adjusting what is not there", events.Where(one => one.Adjusts is { } what && !settled.ContainsKey(what)).Select(one => one.Id));
        Breach("another count in the event than in the ledger", events.Where(one => one.Adjusts is null && settled.TryGetValue(one.Id, out var row) && row.Tokens != one.Tokens).Select(one => one.Id));
        Breach("checkpoints of what is settled", await _books.CheckpointsOfSettledAsync());
        _breaches.AddRange((await _books.AuditFindingsAsync()).Take(5));
        CheckClients(settled, adjustments, backend, Net);
        CheckBackend(settled, backend);
        CheckDelivery(events, dead);
        var over = await CheckLimitsAsync(settlements, Net);

        var tally = new Tally
        {
            Calls = sent.Count,
            Whole = whole.Count,
            Refused = sent.Count(one => one.Call.Status >= 400),
            HungUp = sent.Count(one => one.Call is { HungUp: true, Whole: false, Status: < 400 }),
            Broken = sent.Count(one => one.Call is { HungUp: false, Whole: false, Status: < 400 }),
            Admitted = admissions.Count,
            Settled = settlements.Count,
            Orphaned = settlements.Count(one => one.Outcome == Outcome.Orphaned),
            Adjusted = adjustments.Count,
            Relayed = events.Count - dead.Count,
            DeadLetters = dead.Count,
            Lost = lost,
            Doubled = doubled,
            OverAdmitted = over,
        };
        return _breaches.Count == 0 ? tally : throw new Xunit.Sdk.XunitException($"{tally}\n{string.Join('\n', _breaches)}\n{site.Said()}");
    }

    private void CheckClients(Dictionary<Guid, SettledRow> settled, ILookup<Guid, EventRow> adjustments, ILookup<Guid, UpstreamRequest> backend, Func<Guid, TokenUsage> net)
    {
        var known = sent.Where(one => one.Call.Id is not null).Select(one => (one.Call, Id: one.Call.Id!.Value)).ToList();
        var served = known.Where(one => one.Call.Whole && settled.ContainsKey(one.Id)).ToList();
        Breach("told other tokens than it is billed", served.Where(one => TokensOf(one.Call) != (net(one.Id).Input, net(one.Id).Output)).Select(one => one.Id),
            id => $"{settled[id]}, {adjustments[id].Count()} adjustments, told {served.Where(one => one.Id == id).Select(one => TokensOf(one.Call)).First()}");
        Breach("served whole and not completed", served.Where(one => settled[one.Id].Outcome != Outcome.Completed && !adjustments[one.Id].Any()).Select(one => one.Id), id => settled[id].ToString());

        var refused = known.Where(one => one.Call.Status >= 400).ToList();
        Breach("refused and billed", refused.Where(one => one.Call.ErrorCode != "server_draining" && settled.ContainsKey(one.Id) && net(one.Id).Total != 0).Select(one => one.Id),
            id => $"{settled[id]}, told {refused.First(one => one.Id == id).Call.ErrorCode}");
        Breach("refused otherwise than 429 or 503", refused.Where(one => one.Call.Status is not (429 or 503) && !(allowed.RefusesKey && one.Call.Status == 401)).Select(one => one.Id),
            id => refused.Where(one => one.Id == id).Select(one => $"{one.Call.Status} {one.Call.ErrorCode}").First());
        Breach("503 without a time to come again", refused.Where(one => one.Call.Status == 503 && !one.Call.MayComeAgain).Select(one => one.Id), id => refused.First(one => one.Id == id).Call.ErrorCode ?? "");
        if (!allowed.BreaksConnections)
        {
            Breach("ended without a word", known.Where(one => one.Call is { Status: 200, Whole: false, HungUp: false, ErrorCode: null }).Select(one => one.Id));
            var silent = sent.Count(one => one.Call is { Status: 0, HungUp: false });
            if (silent > 0)
            {
                _breaches.Add($"{silent} calls met no gateway, though none was killed");
            }
        }

        Breach("billed for more than the backend sent", known.Where(one => settled.TryGetValue(one.Id, out var row) && row.Evidence == Evidence.Reported
            && net(one.Id).Output > backend[one.Id].Sum(request => request.CompletionTokens)).Select(one => one.Id), id => settled[id].ToString());
    }

    private void CheckBackend(Dictionary<Guid, SettledRow> settled, ILookup<Guid, UpstreamRequest> backend)
    {
        Breach("reported and completed otherwise than the backend says", settled.Values
            .Where(one => one is { Outcome: Outcome.Completed, Evidence: Evidence.Reported })
            .Where(one => backend[one.Id].SingleOrDefault() is not { } request || (request.PromptTokens, request.CompletionTokens) != (one.Tokens.Input, one.Tokens.Output))
            .Select(one => one.Id), id => settled[id].ToString());
    }

    /// <summary>Each with the same bytes every time and the data of its audit record, and for the first time in the order of the outbox.</summary>
    private void CheckDelivery(List<EventRow> events, List<Guid> dead)
    {
        var told = events.ToDictionary(one => one.Id, one => one.Data);
        var deliveries = site.Receiver.Postings.Where(one => one.Status < 300).SelectMany(one => one.Events).Where(one => told.ContainsKey(one.Id)).ToList();
        Breach("delivered with other bytes", deliveries.GroupBy(one => one.Id)
            .Where(one => one.Select(delivery => delivery.Line).Distinct().Count() > 1 || !one.First().Line.EndsWith($"\"data\":{told[one.Key]}}}", StringComparison.Ordinal)).Select(one => one.Key));
        var order = events.Select(one => one.Id).Except(dead).ToList();
        var arrived = deliveries.Select(one => one.Id).Distinct().ToList();
        if (!order.SequenceEqual(arrived))
        {
            var first = order.Zip(arrived).TakeWhile(pair => pair.First == pair.Second).Count();
            _breaches.Add($"delivered in another order, or not the same, from the {first}th of {order.Count} on ({arrived.Count} arrived)");
        }
    }

    private async Task<long> CheckLimitsAsync(List<SettledRow> settlements, Func<Guid, TokenUsage> net)
    {
        long over = 0;
        foreach (var project in book.Projects)
        {
            var spent = settlements.Where(one => one.Project == project).ToDictionary(one => one.Id, one => net(one.Id).Total);
            var held = await _books.HeldAsync(project);
            var level = await _books.LevelAsync(project);
            var expected = spent.Where(one => !held.ContainsKey(one.Key)).Sum(one => one.Value) + held.Values.Sum();

            // What was under way while Redis forgot is not in the counter that began after it, unless the ledger had it by then.
            var forgotten = sent.Where(one => one.Call.Id is not null && allowed.WasForgotten(one)).Sum(one => spent.GetValueOrDefault(one.Call.Id!.Value));
            if (level is { } stands && (stands > expected || stands < expected - forgotten))
            {
                _breaches.Add($"the budget of {project} stands at {stands}, and the ledger at {expected} ({held.Count} held: {held.Values.Sum()}, {forgotten} may be forgotten)");
            }

            if (project == book.Tight)
            {
                over = Math.Max(0, spent.Values.Sum() - Book.TightBudget - forgotten);
            }
        }

        if (over > 0)
        {
            _breaches.Add($"{over} tokens over a budget of {Book.TightBudget}");
        }

        return over;
    }

    private async Task<IEnumerable<Guid>> HeldAsync() => [.. (await _books.HeldAsync(book.Wide)).Keys, .. (await _books.HeldAsync(book.Tight)).Keys];

    /// <summary>The backend counts words: what the client was told, or the words it has.</summary>
    private static (long Input, long Output) TokensOf(Call call) =>
        (call.ToldInput ?? UpstreamAsk.CountWords(call.Prompt), call.ToldOutput ?? UpstreamAsk.CountWords(call.Text));

    private static TokenUsage Sum(TokenUsage one, TokenUsage other) => new(
        one.InputUncached + other.InputUncached, one.CacheRead + other.CacheRead, one.CacheWrite + other.CacheWrite, one.Output + other.Output, one.Reasoning + other.Reasoning);

    private static IEnumerable<Guid> Twice(IEnumerable<Guid> ids) => ids.GroupBy(id => id).Where(same => same.Count() > 1).Select(same => same.Key);

    private int Breach(string what, IEnumerable<Guid> ids, Func<Guid, string>? more = null)
    {
        var all = ids.ToList();
        if (all.Count > 0)
        {
            _breaches.Add($"{all.Count} {what}: " + string.Join("; ", all.Take(5).Select(id => more is null ? $"{id}" : $"{id} {more(id)}")));
        }

        return all.Count;
    }

    private static async Task UntilAsync(Func<Task<bool>> holds, Func<Task<string>> otherwise)
    {
        for (var look = 0; !await holds(); look++)
        {
            Assert.True(look < 450, $"After a minute and a half, {await otherwise()}");
            await Task.Delay(200);
        }
    }
}
