"""travel.users.v1: accounts, contacts and staff, for the other services. One domain call per method."""

from contracts.travel.users.v1 import users_pb2 as pb
from contracts.travel.users.v1 import users_pb2_grpc
from shared.errors import NotFound
from shared.rpc import Call, rpc
from shared.rpc.mapping import locale_to_proto, page_of, uuid_of, uuids_of
from users_service.accounts import selectors, services
from users_service.accounts.contracts import Device
from users_service.accounts.rpc.callers import ADMINS, BOOKINGS, GATEWAY, HASHING, NOTIFICATIONS
from users_service.accounts.rpc.mappers import (
    contact_to_proto,
    link_description_to_proto,
    link_to_proto,
    security_events_to_proto,
    session_to_proto,
    staff_to_proto,
    to_changes,
    to_device,
    to_network_address,
    to_registration,
    tokens_to_proto,
    user_to_proto,
)
from users_service.accounts.rpc.security import SecurityMethods


class UsersServicer(SecurityMethods, users_pb2_grpc.UsersServiceServicer):
    """The service's methods. Each names the services that may call it."""

    @rpc(callers=GATEWAY, traveller="none", workers=HASHING)
    def Register(self, request: pb.RegisterRequest, call: Call) -> pb.RegisterResponse:
        """Register. The answer is the same for known and unknown addresses."""
        services.register(registration=to_registration(request), device=Device(to_network_address(request.ip_address)))
        return pb.RegisterResponse()

    @rpc(callers=GATEWAY, traveller="none")
    def VerifyEmail(self, request: pb.VerifyEmailRequest, call: Call) -> pb.VerifyEmailResponse:
        """Use a verification link."""
        services.verify_email(token=request.token, device=to_device(request.device))
        return pb.VerifyEmailResponse()

    @rpc(callers=GATEWAY, traveller="none")
    def DescribeLink(self, request: pb.DescribeLinkRequest, call: Call) -> pb.DescribeLinkResponse:
        """Return what a mailed link is for. Nothing changes."""
        return link_description_to_proto(services.describe_link(token=request.token))

    @rpc(callers=GATEWAY, traveller="none")
    def ResendVerification(self, request: pb.ResendVerificationRequest, call: Call) -> pb.ResendVerificationResponse:
        """Mail the verification link again."""
        services.resend_verification(email=request.email, device=Device(to_network_address(request.ip_address)))
        return pb.ResendVerificationResponse()

    @rpc(callers=GATEWAY, traveller="none", workers=HASHING)
    def Login(self, request: pb.LoginRequest, call: Call) -> pb.LoginResponse:
        """Open a session."""
        tokens = services.log_in(
            email=request.email,
            password=request.password,
            device=Device(to_network_address(request.ip_address), request.user_agent),
        )
        return pb.LoginResponse(tokens=tokens_to_proto(tokens))

    @rpc(callers=GATEWAY, traveller="none")
    def RefreshTokens(self, request: pb.RefreshTokensRequest, call: Call) -> pb.RefreshTokensResponse:
        """Rotate a refresh token."""
        tokens = services.refresh(refresh_token=request.refresh_token, device=to_device(request.device))
        return pb.RefreshTokensResponse(tokens=tokens_to_proto(tokens))

    @rpc(callers=GATEWAY, traveller="optional")
    def Logout(self, request: pb.LogoutRequest, call: Call) -> pb.LogoutResponse:
        """End this session or every one."""
        services.log_out(
            user_id=call.traveller.id if call.traveller else None,
            session_id=call.traveller.session_id if call.traveller else None,
            refresh_token=request.refresh_token,
            everywhere=request.everywhere,
            device=to_device(request.device),
        )
        return pb.LogoutResponse()

    @rpc(callers=GATEWAY)
    def BatchListSessions(self, request: pb.BatchListSessionsRequest, call: Call) -> pb.BatchListSessionsResponse:
        """Return only the traveller's own sessions, and skip all other ids."""
        me = call.signed_in_traveller
        return pb.BatchListSessionsResponse(
            lists=[
                pb.SessionList(
                    traveller_id=str(asked),
                    sessions=map(session_to_proto, selectors.sessions(user_id=me.id, current=me.session_id)),
                )
                for asked in uuids_of(request.traveller_ids, "traveller_ids")
                if asked == me.id
            ]
        )

    @rpc(callers=GATEWAY)
    def RevokeSession(self, request: pb.RevokeSessionRequest, call: Call) -> pb.RevokeSessionResponse:
        """End one of the traveller's sessions."""
        services.revoke_session(
            user_id=call.signed_in_traveller.id,
            session_id=uuid_of(request.id, "id"),
            device=to_device(request.device),
        )
        return pb.RevokeSessionResponse()

    @rpc(callers=GATEWAY)
    def BatchListSecurityEvents(
        self, request: pb.BatchListSecurityEventsRequest, call: Call
    ) -> pb.BatchListSecurityEventsResponse:
        """Return only what happened to the traveller's own account, and skip all other ids."""
        me = call.signed_in_traveller
        first, after = page_of(request.page)
        return pb.BatchListSecurityEventsResponse(
            pages=[
                security_events_to_proto(asked, selectors.security_events(user_id=me.id, first=first, after=after))
                for asked in uuids_of(request.traveller_ids, "traveller_ids")
                if asked == me.id
            ]
        )

    @rpc(callers=GATEWAY)
    def UpdateProfile(self, request: pb.UpdateProfileRequest, call: Call) -> pb.UpdateProfileResponse:
        """Change the traveller's own profile."""
        user = services.update_profile(
            user_id=call.signed_in_traveller.id, changes=to_changes(request), device=to_device(request.device)
        )
        return pb.UpdateProfileResponse(user=user_to_proto(user))

    @rpc(callers=GATEWAY)
    def BatchGetUsers(self, request: pb.BatchGetUsersRequest, call: Call) -> pb.BatchGetUsersResponse:
        """Return only the traveller's own account, and skip all other ids."""
        mine = [user_id for user_id in uuids_of(request.ids, "ids") if user_id == call.signed_in_traveller.id]
        return pb.BatchGetUsersResponse(users=map(user_to_proto, selectors.users_by_id(ids=mine)))

    @rpc(callers=BOOKINGS)
    def CheckTraveller(self, request: pb.CheckTravellerRequest, call: Call) -> pb.CheckTravellerResponse:
        """Return the traveller's locale if they may book. Raises NotFound."""
        traveller_id = uuid_of(request.traveller_id, "traveller_id")
        if traveller_id != call.signed_in_traveller.id:
            raise NotFound
        user = selectors.get_user(user_id=traveller_id)
        return pb.CheckTravellerResponse(locale=locale_to_proto(user.profile.locale))

    @rpc(callers=NOTIFICATIONS, traveller="none")
    def BatchGetContacts(self, request: pb.BatchGetContactsRequest, call: Call) -> pb.BatchGetContactsResponse:
        """Return the contacts as they are now."""
        users = selectors.users_by_id(ids=uuids_of(request.ids, "ids"))
        return pb.BatchGetContactsResponse(contacts=map(contact_to_proto, users))

    @rpc(callers=NOTIFICATIONS, traveller="none")
    def MintLink(self, request: pb.MintLinkRequest, call: Call) -> pb.MintLinkResponse:
        """Mint the link of a mail while it is written."""
        link = services.mint_link(request_id=uuid_of(request.request_id, "request_id"))
        return link_to_proto(link)

    @rpc(callers=ADMINS, traveller="none", workers=HASHING)
    def AuthenticateStaff(self, request: pb.AuthenticateStaffRequest, call: Call) -> pb.AuthenticateStaffResponse:
        """Return the staff account of these credentials."""
        staff = services.authenticate_staff(
            email=request.email, password=request.password, ip_address=to_network_address(request.ip_address)
        )
        return pb.AuthenticateStaffResponse(staff=staff_to_proto(staff))

    @rpc(callers=ADMINS, traveller="none")
    def GetStaff(self, request: pb.GetStaffRequest, call: Call) -> pb.GetStaffResponse:
        """Return the staff account with its rights as they are now."""
        return pb.GetStaffResponse(staff=staff_to_proto(selectors.staff_by_id(staff_id=uuid_of(request.id, "id"))))

    @rpc(callers=BOOKINGS, traveller="none")
    def FindTraveller(self, request: pb.FindTravellerRequest, call: Call) -> pb.FindTravellerResponse:
        """Return the id of the address's account, or an empty text, for the staff of bookings_service."""
        traveller_id = selectors.id_by_email(email=request.email)
        return pb.FindTravellerResponse(traveller_id=str(traveller_id) if traveller_id else "")
