using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;

namespace TokenFactory.Inference.Dispatch;

/// <summary>Puts a staged response in the place of the client's for the length of one attempt, and the client's back again.</summary>
internal readonly struct StagedFeatures : IDisposable
{
    private readonly HttpContext _context;
    private readonly IHttpResponseFeature? _response;
    private readonly IHttpResponseBodyFeature? _body;
    private readonly IHttpRequestLifetimeFeature? _lifetime;
    private readonly IHttpResetFeature? _reset;

    public StagedFeatures(HttpContext context, StagedResponse staged, AttemptScope scope)
    {
        _context = context;
        var features = context.Features;
        _response = features.Get<IHttpResponseFeature>();
        _body = features.Get<IHttpResponseBodyFeature>();
        _lifetime = features.Get<IHttpRequestLifetimeFeature>();
        _reset = features.Get<IHttpResetFeature>();
        features.Set<IHttpResponseFeature>(staged);
        features.Set<IHttpResponseBodyFeature>(staged);
        features.Set<IHttpRequestLifetimeFeature>(staged);
        if (_reset is not null)
        {
            features.Set<IHttpResetFeature>(null);
        }

        features.Set(scope);
        features.Set<IForwarderErrorFeature>(null);
    }

    public void Dispose()
    {
        var features = _context.Features;
        features.Set(_response);
        features.Set(_body);
        features.Set(_lifetime);
        if (_reset is not null)
        {
            features.Set(_reset);
        }
    }
}
