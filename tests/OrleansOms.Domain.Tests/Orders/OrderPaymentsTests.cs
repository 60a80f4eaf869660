using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Domain.Tests.Orders;

/// <summary>What money that comes, fails and comes again does to an order, and to its time.</summary>
public sealed class OrderPaymentsTests
{
    static readonly DateTimeOffset Now = Given.Now;

    static Decision<OrderEvent> Decide(Order order, OrderCommand command, DateTimeOffset? now = null) =>
        OrderDecider.Decide(order, command, now ?? Now);

    static Order Pending => Given.Allocated(PaymentReport.Pending);

    static RecordPayment Authorized(decimal amount, string reference = "a") => new(PaymentReport.Authorized, amount, reference);

    static RecordPayment Failed(string reference = "a", decimal amount = 22.31m) => new(PaymentReport.Failed, amount, reference);

    [Theory]
    [InlineData(22.31)]
    [InlineData(0)]
    public void A_payment_that_failed_and_was_authorized_since_can_fail_again(double amount)
    {
        var order = Pending.When(Failed()).When(Authorized(22.31m));
        Assert.Equal(OrderStatus.Allocated, order.DeriveStatus());
        var again = Assert.Single(Decide(order, Failed(amount: (decimal)amount)).Events);
        var failed = order.Apply(again);
        Assert.Equal((0m, OrderStatus.AwaitingPayment), (failed.Authorized, failed.DeriveStatus()));
        Assert.Empty(Decide(failed, new ReleaseToWarehouses()).Events);
        // Nothing was authorized since: from here on it is the same report.
        Assert.Empty(Decide(failed, Failed(amount: (decimal)amount)).Events);
        Assert.Equal("payment_reference_reused", Decide(failed, Failed(amount: 1)).Rejection?.Code);
    }
}
