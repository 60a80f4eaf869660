using System.Buffers;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.Options;
using OrleansOms.Host.Live;

namespace OrleansOms.Tests.Live;

/// <summary>What goes to many is written once, and nobody who receives it can tell.</summary>
public sealed class SharedPushTests
{
    public static TheoryData<string> Protocols => ["json", "messagepack"];

    [Theory, MemberData(nameof(Protocols))]
    public void Views_that_go_out_together_are_messages_of_their_own(string name)
    {
        var protocol = Of(name);
        object[] views = [new View("a"), new View("b"), new View("c")];

        var together = Written(new SharedPushProtocol(protocol), new InvocationMessage("changed", [new SharedPush(views)]));

        Assert.Equal(views.SelectMany(v => Written(protocol, new InvocationMessage("changed", [v]))), together);
    }

    [Theory, MemberData(nameof(Protocols))]
    public void A_view_is_written_once_however_many_it_goes_to(string name)
    {
        var protocol = new SharedPushProtocol(Of(name));
        var view = new View("a");
        var first = Written(protocol, new InvocationMessage("changed", [new SharedPush([view])]));

        Assert.Equal(first, Written(protocol, new InvocationMessage("changed", [new SharedPush([view])])));
        Assert.Equal(1, view.Reads());
    }

    [Theory, MemberData(nameof(Protocols))]
    public void The_same_view_can_be_pushed_under_another_name(string name)
    {
        var protocol = new SharedPushProtocol(Of(name));
        var push = new SharedPush([new View("a")]);
        Written(protocol, new InvocationMessage("changed", [push]));

        Assert.Equal(
            Written(Of(name), new InvocationMessage("moved", [.. push.Views])),
            Written(protocol, new InvocationMessage("moved", [push])));
    }

    static IHubProtocol Of(string name) => name == "json"
        ? new JsonHubProtocol()
        : new MessagePackHubProtocol(Options.Create(
            new Microsoft.AspNetCore.SignalR.MessagePackHubProtocolOptions { SerializerOptions = LivePack.Options }));

    static byte[] Written(IHubProtocol protocol, HubMessage message)
    {
        var output = new ArrayBufferWriter<byte>();
        protocol.WriteMessage(message, output);
        Assert.Equal(output.WrittenSpan, protocol.GetMessageBytes(message).Span);
        return output.WrittenSpan.ToArray();
    }

    sealed class View(string name)
    {
        int _reads;

        /// <summary>How often it was written; no property, so that it is not written itself.</summary>
        public int Reads() => _reads;

        public string Name
        {
            get
            {
                _reads++;
                return name;
            }
        }
    }
}
