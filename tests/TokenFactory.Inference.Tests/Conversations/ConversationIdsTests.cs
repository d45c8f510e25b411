using System.Collections.Frozen;
using System.Security.Cryptography;
using TokenFactory.Inference.Conversations;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Keys;
using TokenFactory.Inference.ReadModel.Routes;
using Xunit;

namespace TokenFactory.Inference.Tests.Conversations;

/// <summary>A response's id says where to go with it, to its tenant alone, on every replica that has the pepper.</summary>
public sealed class ConversationIdsTests
{
    private static readonly Pepper _old = new("v1", RandomNumberGenerator.GetBytes(32));
    private static readonly Pepper _new = new("v2", RandomNumberGenerator.GetBytes(32));
    private static readonly Deployment _far = new() { Name = "far", Provider = new Provider("p", ProviderKind.OpenAi, null, null), Endpoints = [] };
    private static readonly Deployment _near = _far with { Name = "near" };
    private static readonly ModelRoute _route = new(ModelPattern.Parse("m"), [new RouteTarget(_near, 0, 1)], LimitSet.None);

    [Fact]
    public void What_was_signed_is_found_again_by_its_tenant_on_another_replica()
    {
        var id = ConversationIds.Sign([_old], "acme", "near", "resp_é1", 1234);

        Assert.StartsWith("resp_", id, StringComparison.Ordinal);
        Assert.Equal(new Conversation("near", "resp_é1", 1234), Find([new Pepper("v1", _old.Value)], "acme", id));
    }

    [Fact]
    public void A_deployment_that_is_not_the_models_own_is_found_too_and_one_that_is_gone_is_not()
    {
        Assert.Equal("far", Find([_old], "acme", ConversationIds.Sign([_old], "acme", "far", "resp_1", 0))?.Deployment);
        Assert.Null(Find([_old], "acme", ConversationIds.Sign([_old], "acme", "gone", "resp_1", 0)));
    }

    [Fact]
    public void An_id_lives_as_long_as_its_pepper_verifies_keys()
    {
        var id = ConversationIds.Sign([_old], "acme", "near", "resp_1", 0);

        Assert.NotNull(Find([_new, _old], "acme", id));
        Assert.Null(Find([_new], "acme", id));
        Assert.NotNull(Find([_new, _old], "acme", ConversationIds.Sign([_new, _old], "acme", "near", "resp_1", 0)));
    }

    [Fact]
    public void P9_no_other_tenant_can_use_it_and_no_letter_of_it_can_be_another()
    {
        var id = ConversationIds.Sign([_old], "acme", "near", "resp_1", 7);

        Assert.Null(Find([_old], "acm", id));
        Assert.Null(Find([_old], "other", id));
        Assert.Null(Find([_old], "acne", id));
        foreach (var letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        {
            // Some of these decode to the same bytes.
            Assert.Null(letter == id[^1] ? null : Find([_old], "acme", id[..^1] + letter));
        }

        for (var at = 0; at < id.Length; at++)
        {
            foreach (var letter in "ABz09-_=+ ")
            {
                Assert.Null(letter == id[at] ? null : Find([_old], "acme", string.Concat(id.AsSpan(0, at), letter.ToString(), id.AsSpan(at + 1))));
            }

            Assert.Null(Find([_old], "acme", id[..at]));
            Assert.Null(Find([_old], "acme", id + id[..at] + "A"));
        }
    }

    [Fact]
    public void P9_two_tenants_cannot_see_that_they_were_answered_at_the_same_place()
    {
        var (one, other) = (Bytes("acme"), Bytes("other"));

        Assert.NotEqual(one[1..9], other[1..9]);

        static byte[] Bytes(string tenant) => System.Buffers.Text.Base64Url.DecodeFromChars(ConversationIds.Sign([_old], tenant, "near", "resp_1", 0).AsSpan(5));
    }

    private static Conversation? Find(IReadOnlyList<Pepper> peppers, string tenant, string id) => ConversationIds.Find(
        new Snapshot
        {
            Version = 1,
            Revision = "r",
            Registry = new Registry([_near, _far], [_route]),
            Tenants = FrozenDictionary<string, Tenant>.Empty,
            Keys = KeyTable.Empty,
            Peppers = peppers,
        },
        tenant, id, _route);
}
