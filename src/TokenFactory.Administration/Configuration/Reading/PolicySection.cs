using TokenFactory.Administration.Policies;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Policies;

namespace TokenFactory.Administration.Configuration.Reading;

/// <summary>The <c>policy</c>: the rules in force, and the rules that are only tried beside them.</summary>
internal static class PolicySection
{
    public static (PolicyBundle Bundle, PolicyBundle? Shadow) Read(Section section, ReadingContext context, Named<Provider> providers, Named<Deployment> deployments)
    {
        var bundle = PolicyDocumentReader.ReadBundle(section["bundle"], context, providers, deployments);
        var shadow = PolicyDocumentReader.ReadBundle(section["shadow"], context, providers, deployments);
        section.RefuseUnknownKeys();
        return (bundle ?? PolicyBundle.None, shadow);
    }
}
