"""The methods that protect an account: password, address and phone number. One domain call per method."""

from contracts.travel.users.v1 import users_pb2 as pb
from shared.rpc import Call, rpc
from shared.rpc.mapping import uuid_of
from users_service.accounts import services
from users_service.accounts.rpc.callers import GATEWAY, HASHING, NOTIFICATIONS
from users_service.accounts.rpc.mappers import phone_code_to_proto, to_device


class SecurityMethods:
    """Part of UsersServicer."""

    @rpc(callers=GATEWAY, traveller="none")
    def RequestPasswordReset(
        self, request: pb.RequestPasswordResetRequest, call: Call
    ) -> pb.RequestPasswordResetResponse:
        """Mail a link that sets a new password. The answer is the same for known and unknown addresses."""
        services.request_password_reset(email=request.email, device=to_device(request.device))
        return pb.RequestPasswordResetResponse()

    @rpc(callers=GATEWAY, traveller="none", workers=HASHING)
    def ResetPassword(self, request: pb.ResetPasswordRequest, call: Call) -> pb.ResetPasswordResponse:
        """Use a link that sets a new password."""
        services.reset_password(
            token=request.token, new_password=request.new_password, device=to_device(request.device)
        )
        return pb.ResetPasswordResponse()

    @rpc(callers=GATEWAY, workers=HASHING)
    def ChangePassword(self, request: pb.ChangePasswordRequest, call: Call) -> pb.ChangePasswordResponse:
        """Change the traveller's password, and end their other sessions."""
        traveller = call.signed_in_traveller
        services.change_password(
            user_id=traveller.id,
            session_id=traveller.session_id,
            current_password=request.current_password,
            new_password=request.new_password,
            authenticated_at=traveller.authenticated_at,
            device=to_device(request.device),
        )
        return pb.ChangePasswordResponse()

    @rpc(callers=GATEWAY, workers=HASHING)
    def ChangeEmail(self, request: pb.ChangeEmailRequest, call: Call) -> pb.ChangeEmailResponse:
        """Mail a link to the traveller's new address."""
        traveller = call.signed_in_traveller
        services.change_email(
            user_id=traveller.id,
            session_id=traveller.session_id,
            new_email=request.new_email,
            password=request.password,
            authenticated_at=traveller.authenticated_at,
            device=to_device(request.device),
        )
        return pb.ChangeEmailResponse()

    @rpc(callers=GATEWAY, traveller="none")
    def ConfirmEmailChange(self, request: pb.ConfirmEmailChangeRequest, call: Call) -> pb.ConfirmEmailChangeResponse:
        """Use the link that was mailed to a new address."""
        services.confirm_email_change(token=request.token, device=to_device(request.device))
        return pb.ConfirmEmailChangeResponse()

    @rpc(callers=GATEWAY, traveller="none")
    def UndoEmailChange(self, request: pb.UndoEmailChangeRequest, call: Call) -> pb.UndoEmailChangeResponse:
        """Use the link that gives an account its earlier address back."""
        services.undo_email_change(token=request.token, device=to_device(request.device))
        return pb.UndoEmailChangeResponse()

    @rpc(callers=GATEWAY, traveller="none")
    def DisownChange(self, request: pb.DisownChangeRequest, call: Call) -> pb.DisownChangeResponse:
        """Use the link that says "this wasn't me"."""
        services.disown_change(token=request.token, device=to_device(request.device))
        return pb.DisownChangeResponse()

    @rpc(callers=GATEWAY)
    def VerifyPhone(self, request: pb.VerifyPhoneRequest, call: Call) -> pb.VerifyPhoneResponse:
        """Verify the traveller's phone number, or send a code by SMS."""
        services.verify_phone(user_id=call.signed_in_traveller.id, code=request.code, device=to_device(request.device))
        return pb.VerifyPhoneResponse()

    @rpc(callers=NOTIFICATIONS, traveller="none")
    def MintPhoneCode(self, request: pb.MintPhoneCodeRequest, call: Call) -> pb.MintPhoneCodeResponse:
        """Mint the code of an SMS while it is written."""
        code = services.mint_phone_code(request_id=uuid_of(request.request_id, "request_id"))
        return phone_code_to_proto(code)
