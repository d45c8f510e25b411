using TokenFactory.Inference.Dialects;
using TokenFactory.Inference.ReadModel;
using Yarp.ReverseProxy.Model;

namespace TokenFactory.Inference.Dispatch;

/// <summary>What YARP's transforms need to know of the attempt they run in, and what they learn for it.</summary>
internal sealed class AttemptScope(Exchange exchange, Deployment deployment, ClusterState cluster, AttemptClock clock)
{
    public Exchange Exchange { get; } = exchange;

    public Deployment Deployment { get; } = deployment;

    /// <summary>The deployment's own; the matched route's is another one.</summary>
    public ClusterState Cluster { get; } = cluster;

    public AttemptClock Clock { get; } = clock;

    public long BodyLength { get; set; }

    public bool UsageInjected { get; set; }

    /// <summary>Between the client's dialect and the backend's; null when they are one.</summary>
    public Conversion? Conversion { get; set; }

    /// <summary>The backend's status; null until its head arrived.</summary>
    public int? Status { get; set; }

    /// <summary>Why the backend turned the request away, when it did not even try, and for how long it asks to be left alone.</summary>
    public (string Reason, TimeSpan? Asked)? Rest { get; set; }

    /// <summary>What the backend's refusal means for the caller; null when it answered.</summary>
    public GatewayError? Refusal { get; set; }
}
