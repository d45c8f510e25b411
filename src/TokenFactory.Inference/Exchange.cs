using Microsoft.AspNetCore.Http;
using TokenFactory.Inference.Access;
using TokenFactory.Inference.Dispatch;
using TokenFactory.Inference.Dispatch.Running;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.Limits;
using TokenFactory.Inference.Metering;
using TokenFactory.Inference.Policy;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Routes;
using TokenFactory.Inference.Routing;
using TokenFactory.Storage.Journal;

namespace TokenFactory.Inference;

/// <summary>
/// What one inference request has become so far. Each stop reads what earlier stops left and adds its own record; reading
/// a record whose stop did not run is a bug in the pipeline, and the exception names that stop.
/// </summary>
internal sealed class Exchange(Guid requestId, Operations operation, Snapshot snapshot, TimeProvider clock, Dialect dialect = Dialect.OpenAi)
{
    private string? _requestIdText;
    private Ask? _ask;
    private Caller? _caller;
    private ModelRoute? _route;
    private Decision? _decision;
    private Plan? _plan;

    public Guid RequestId { get; } = requestId;

    public string RequestIdText => _requestIdText ??= RequestId.ToString("D");

    public Operations Operation { get; } = operation;

    /// <summary>The client's.</summary>
    public Dialect Dialect { get; } = dialect;

    /// <summary>Pinned: every stop of this request judges by the same one.</summary>
    public Snapshot Snapshot { get; } = snapshot;

    public DateTimeOffset AcceptedAt { get; } = clock.GetUtcNow();

    public long StartedAt { get; } = clock.GetTimestamp();

    public Ask Ask { get => _ask ?? throw DidNotRun("Intake"); set => _ask = value; }

    public Caller Caller { get => _caller ?? throw DidNotRun("Access"); set => _caller = value; }

    public ModelRoute Route { get => _route ?? throw DidNotRun("Guard"); set => _route = value; }

    public Reservation? Reservation { get; set; }

    public Decision Decision { get => _decision ?? throw DidNotRun("Policy"); set => _decision = value; }

    /// <summary>What the shadow bundle would have changed; null without one.</summary>
    public ShadowVerdict? Shadow { get; set; }

    public Plan Plan { get => _plan ?? throw DidNotRun("Routing"); set => _plan = value; }

    public RunningRequest Running { get; } = new();

    /// <summary>Completes when the admission is durable. No byte of an answer leaves before it (P1).</summary>
    public Task Admitted { get; set; } = Task.CompletedTask;

    public List<Attempt> Attempts { get; } = new(1);

    /// <summary>Candidates that were passed over without being asked.</summary>
    public IReadOnlyList<Skip> Skipped { get; set; } = [];

    /// <summary>Attempts begun, the running one included.</summary>
    public int AttemptsMade { get; set; }

    /// <summary>The candidate and head of the attempt whose body is arriving; null between attempts.</summary>
    public UpstreamHead? Head { get; set; }

    /// <summary>From the latest attempt's start to the first byte of its body; null while none came.</summary>
    public TimeSpan? FirstByteAfter { get; set; }

    /// <summary>Where the latest attempt ran; null when none was made.</summary>
    public Placement? Placement { get; set; }

    /// <summary>Whether the latest attempt was at a manual deployment: what it says is no model's.</summary>
    public bool IsByHand => Placement is { } placement && Snapshot.Registry.Deployments.TryGetValue(placement.Deployment, out var deployment) && deployment.Provider.Kind == ProviderKind.Manual;

    /// <summary>What Metering found wrong with the arriving body; null while nothing is.</summary>
    public Failure? BackendFault { get; set; }

    /// <summary>Why there is no honest answer; null when there is one.</summary>
    public Failure? Failure { get; set; }

    /// <summary>Whether a byte of an answer went to the client: from then on no other candidate may be asked.</summary>
    public bool FirstByteSent { get; set; }

    /// <summary>Whether the answer is whole though its connection may still be open.</summary>
    public bool AnswerIsWhole { get; set; }

    public Usage Usage { get; set; } = Usage.None;

    public MeteredBody Answer { get => field ?? throw DidNotRun("Metering"); set; }

    /// <summary>Whether Policy or Routing refused it, on record.</summary>
    public bool IsDenied { get; set; }

    /// <summary>Whether the reservation was settled; what was not is given back.</summary>
    public bool ReservationSettled { get; set; }

    public long DispatchedAt { get; set; }

    /// <summary>When the backend had said its last word, in timestamp ticks; the rest is the gateway's own time.</summary>
    public long AnsweredAt { get; set; }

    /// <summary>The stop that has the request, by the records left so far: a label for refusals.</summary>
    public string Reached => true switch
    {
        _ when _ask is null => "intake",
        _ when _caller is null => "access",
        _ when _route is null => "guard",
        _ when _decision is null => Reservation is null ? "limits" : "policy",
        _ when _plan is null => "routing",
        _ => "dispatch",
    };

    private static InvalidOperationException DidNotRun(string stop) => new($"the stop {stop} did not run before this one");
}

internal static class HttpContextExchange
{
    extension(HttpContext context)
    {
        public Exchange Exchange => context.Features.Get<Exchange>() ?? throw new InvalidOperationException("the stop Intake did not run before this one");
    }
}
